/** Where a request carries a credential, and how it is read. */
import * as AmbientHeader from "../../../Server/Exchange/AmbientHeader.ts"
import type { Incoming } from "../../../Server/Exchange/Before.ts"
import { withoutBlanks } from "../../../Server/Exchange/Semantics.ts"

/** The place of a credential in a request. */
export interface Source {
  readonly in: "cookie" | "header" | "query"
  /** The header's name in lower case, or that of the cookie or query parameter. */
  readonly name: string
  /** The scheme of an `Authorization` header in lower case: `bearer`, `basic`. */
  readonly scheme: string | undefined
}

/** What a source found. */
export type Found =
  | { readonly _tag: "Ambiguous"; readonly reason: string }
  | { readonly _tag: "None" }
  | { readonly _tag: "Some"; readonly credential: string }

const none: Found = { _tag: "None" }

const some = (credential: string): Found => ({ _tag: "Some", credential })

const ambiguous = (what: string): Found => ({
  _tag: "Ambiguous",
  reason: `${what} came more than once`
})

/**
 * A credential in a header of its own, such as `X-Api-Key`. A token there may have `Bearer`
 * before it.
 *
 * @example
 * ```ts
 * import * as Auth from "flange/Auth"
 *
 * Auth.header("X-Api-Key").name // => "x-api-key"
 * ```
 */
export const header = (name: string): Source => ({
  in: "header",
  name: name.toLowerCase(),
  scheme: undefined
})

/** A credential in the `Authorization` header behind a scheme. Source: RFC 9110, section 11.6.2. */
export const authorization = (scheme: string): Source => ({
  in: "header",
  name: "authorization",
  scheme: scheme.toLowerCase()
})

/**
 * A credential in a cookie. A browser sends cookies with requests that pages of other
 * origins start, so such requests are refused with 403 (see `acceptsCrossSite` of
 * `Auth.chain`). Set the cookie with `setCookie` of a `Middleware.before`, or with
 * `SetCookie.header`: both have safe attributes.
 *
 * @example
 * ```ts
 * import * as Auth from "flange/Auth"
 *
 * Auth.cookie("session").in // => "cookie"
 * ```
 */
export const cookie = (name: string): Source => ({ in: "cookie", name, scheme: undefined })

/**
 * A credential in the query, for callers that cannot set headers (`EventSource`,
 * WebSocket in a browser). Proxies log queries; Flange's own log and spans do not
 * show the parameter.
 *
 * @example
 * ```ts
 * import * as Auth from "flange/Auth"
 *
 * Auth.query("key").in // => "query"
 * ```
 */
export const query = (name: string): Source => ({ in: "query", name, scheme: undefined })

/**
 * Returns a token without the `Bearer` that may come before it in a header of its own. No
 * token has a space.
 */
export const withoutScheme = ({ in: place, scheme }: Source, sent: string): string =>
  place === "header" && scheme === undefined ? sent.replace(/^bearer[ \t]+/i, "") : sent

/** Whether two sources read the same place. */
export const same = (a: Source, b: Source): boolean =>
  a.in === b.in && a.name === b.name && a.scheme === b.scheme

/**
 * Whether browsers add such credentials by themselves, also to requests that pages of other
 * origins start. A page cannot set any other header without asking the server (CORS).
 */
export const isAmbient = ({ in: place, name, scheme }: Source): boolean =>
  place === "cookie" || (place === "header" && AmbientHeader.isAmbient(name, scheme))

type Read = Pick<Incoming, "header" | "target">

/** Reads the credential. A credential that is present twice is refused as ambiguous. */
export const read = (source: Source, request: Read): Found => {
  switch (source.in) {
    case "cookie":
      return fromCookie(source.name, request)
    case "header":
      return fromHeader(source, request)
    case "query":
      return fromQuery(source.name, request)
  }
}

const fromHeader = ({ name, scheme }: Source, request: Read): Found => {
  const value = request.header(name)
  if (value === undefined) return none
  // Repeated headers come with a comma between them; no credential has one.
  if (value.includes(",")) {
    const mine = (part: string) => scheme === undefined || schemeOf(part.trim()) === scheme
    if (value.split(",").some(mine)) return ambiguous(`Header ${name}`)
  }
  if (scheme === undefined) return value === "" ? none : some(value)
  return schemeOf(value) === scheme ? some(withoutBlanks(value.slice(scheme.length))) : none
}

const schemeOf = (value: string): string => value.split(" ", 1)[0]!.toLowerCase()

const fromCookie = (name: string, request: Read): Found => {
  const values = (request.header("cookie") ?? "").split(";").flatMap((pair) => {
    const equals = pair.indexOf("=")
    return equals !== -1 && pair.slice(0, equals).trim() === name
      ? [pair.slice(equals + 1).trim()]
      : []
  })
  const [value, ...more] = values
  if (more.length > 0) return ambiguous(`Cookie ${name}`)
  return value === undefined || value === "" ? none : some(unquoted(value))
}

const unquoted = (value: string): string => {
  const inner = /^"(.*)"$/.exec(value)?.[1] ?? value
  try {
    return decodeURIComponent(inner)
  } catch {
    return inner
  }
}

const fromQuery = (name: string, { target }: Read): Found => {
  const start = target.indexOf("?")
  if (start === -1) return none
  const [value, ...more] = new URLSearchParams(target.slice(start + 1)).getAll(name)
  if (more.length > 0) return ambiguous(`Query parameter ${name}`)
  return value === undefined || value === "" ? none : some(value)
}
