/** Values of the header `Set-Cookie`. Source: RFC 6265, section 4.1. */
import * as Data from "effect/Data"
import * as Cookies from "effect/http/Cookies"
import * as Result from "effect/Result"

/**
 * The attributes of a cookie. Default: `httpOnly` and `secure` are true, `path` is `/`, `sameSite`
 * is `lax`, and the cookie ends with the session of the browser.
 */
export type Options = Omit<NonNullable<Cookies.Cookie["options"]>, "hostOnly">

/**
 * A cookie that cannot be sent, or that browsers would ignore. The message has the name of the
 * cookie, why it is refused and what to write instead; it never has the value.
 */
export class CookieError extends Data.TaggedError("CookieError")<{
  /** The name of the cookie. */
  readonly cookie: string
  /** Why the cookie is refused, and what to write instead. */
  readonly reason: string
}> {
  override get message(): string {
    return `Cookie ${JSON.stringify(this.cookie)} cannot be set: ${this.reason}`
  }
}

const invalid: Readonly<Record<Cookies.CookiesErrorReason["_tag"], string>> = {
  CookieInfinityMaxAge: "`maxAge` is not finite. Leave it out for a cookie of the session.",
  InvalidCookieDomain: '`domain` has ";" or a control character. Write a host name.',
  InvalidCookieName: 'the name is not a token. Use letters, digits, "-" and "_".',
  InvalidCookiePath: '`path` has ";", a control character or one beyond ASCII. Encode it.',
  InvalidCookieValue: "the value has a character that no cookie can have. Encode it."
}

/** The longest name and value together that browsers keep, in bytes. */
const maxLength = 4096

/** Returns why browsers would ignore a cookie; undefined if they would not. */
const ignored = (
  name: string,
  length: number,
  { domain, expires, partitioned, path, sameSite, secure }: Options
): string | undefined => {
  const prefix = /^__(?:Host|Secure)-/i.exec(name)?.[0]
  if (length > maxLength)
    return `name and value have ${length} bytes, and browsers keep ${maxLength}. Store less.`
  if (path !== undefined && !path.startsWith("/")) return '`path` does not start with "/".'
  if (expires !== undefined && Number.isNaN(expires.getTime())) return "`expires` is no date."
  if (secure !== true && (sameSite === "none" || partitioned === true || prefix !== undefined)) {
    const why = prefix ?? (partitioned === true ? "`partitioned`" : "`sameSite: none`")
    return `browsers take ${why} only with \`secure\`.`
  }
  if (prefix?.toLowerCase() === "__host-" && (path !== "/" || domain !== undefined)) {
    return `browsers take ${prefix} only with the path "/" and without \`domain\`.`
  }
  return undefined
}

/**
 * Returns the value of a `Set-Cookie` header. The value of the cookie is percent-encoded. Unless
 * the options say otherwise, the cookie has `HttpOnly` (no script reads it), `Path=/`,
 * `SameSite=Lax` (requests that pages of other sites start do not carry it, except navigation)
 * and `Secure` (only https and localhost carry it). To remove a cookie, set it with `maxAge: 0` and
 * the same domain and path.
 *
 * Throws a `CookieError` if the cookie cannot be sent, or if browsers would ignore it: because
 * of a prefix, of `sameSite: "none"` without `secure`, of a length above 4096 bytes.
 *
 * @example
 * ```ts
 * import { SetCookie } from "flange"
 *
 * SetCookie.header("session", "a b") // => "session=a%20b; Path=/; HttpOnly; Secure; SameSite=Lax"
 * SetCookie.header("session", "", { maxAge: 0 }) // => "session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax"
 * ```
 */
export const header = (name: string, value: string, options: Options = {}): string => {
  const all: Options = { httpOnly: true, path: "/", sameSite: "lax", secure: true, ...options }
  // Half of a surrogate pair has no encoding in UTF-8.
  if (!value.isWellFormed()) {
    throw new CookieError({ cookie: name, reason: invalid.InvalidCookieValue })
  }
  const made = Cookies.makeCookie(name, value, all)
  if (Result.isFailure(made)) {
    throw new CookieError({ cookie: name, reason: invalid[made.failure.reason._tag] })
  }
  const reason = ignored(name, name.length + made.success.valueEncoded.length, all)
  if (reason !== undefined) throw new CookieError({ cookie: name, reason })
  return Cookies.serializeCookie(made.success)
}
