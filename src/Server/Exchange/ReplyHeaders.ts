/** Headers that the reply to a request is given before there is one. */
import * as Context from "effect/Context"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

/** Takes headers of a reply. Names are in lower case; of two with one name the later stands. */
export interface Reply {
  readonly setHeader: (name: string, value: string) => void
}

/**
 * The reply to the request that this fiber serves. Outside a request nothing
 * reads what is set.
 */
export const CurrentReply: Context.Reference<Reply> = Context.Reference("flange/CurrentReply", {
  defaultValue: (): Reply => ({ setHeader: () => {} })
})

/** A reply's headers, names and values in turn. */
export class Headers implements Reply {
  readonly all: Array<string> = []

  setHeader(name: string, value: string): void {
    this.all.push(name, value)
  }
}

/**
 * A reply with headers, names and values in turn. `vary` joins what the reply
 * varies by already.
 */
export const onto = (
  response: HttpServerResponse.HttpServerResponse,
  headers: ReadonlyArray<string>
): HttpServerResponse.HttpServerResponse => {
  if (headers.length === 0) return response
  const named: Record<string, string> = {}
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!
    const value = headers[i + 1]!
    const before = name === "vary" ? (named[name] ?? response.headers[name]) : undefined
    named[name] = before === undefined ? value : joined(before, value)
  }
  return HttpServerResponse.setHeaders(response, named)
}

/** Two lists of names as one, in which none is twice. */
const joined = (before: string, name: string): string =>
  before.split(",").some((other) => ["*", name.toLowerCase()].includes(other.trim().toLowerCase()))
    ? before
    : `${before}, ${name}`

const name = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

const value = /^[\t\x20-\x7e\x80-\xff]*$/

/** Says that the name of a field is none. */
export const badName = (field: string): TypeError =>
  new TypeError(`Field name ${JSON.stringify(field)} is not a token. Use letters, digits and "-".`)

/** Says that the value of a field cannot be sent. */
export const badValue = (field: string): TypeError =>
  new TypeError(
    `The value of field ${field} has a control character or one beyond Latin-1. Encode it, for example with encodeURIComponent.`
  )

/** Why headers cannot be sent; undefined where they can. Source: RFC 9110, section 5. */
export const problem = (headers: Readonly<Record<string, string>>): TypeError | undefined => {
  for (const field in headers) {
    if (!name.test(field)) return badName(field)
    if (!value.test(headers[field]!)) return badValue(field)
  }
  return undefined
}
