/** What a log never shows: fields by their names, and secrets inside texts. */
import * as Context from "effect/Context"
import * as Headers from "effect/http/Headers"
import * as UrlParams from "effect/http/UrlParams"
import { replaceMembers } from "./JsonText.ts"

/** Written in the place of what is hidden. */
export const hidden = "<redacted>"

/** The names of fields that are hidden unless the configuration names others. */
export const defaultNames: ReadonlyArray<string> = [
  "accessKey",
  "accessToken",
  "apiKey",
  "authorization",
  "cardNumber",
  "clientSecret",
  "cookie",
  "cookies",
  "credential",
  "credentials",
  "cvc",
  "cvv",
  "idToken",
  "jwt",
  "otp",
  "pass",
  "passphrase",
  "passwd",
  "password",
  "passwordHash",
  "passwords",
  "privateKey",
  "pwd",
  "refreshToken",
  "secret",
  "secretKey",
  "secrets",
  "sessionId",
  "ssn",
  "token"
]

/**
 * The names of the fields whose values the log never shows. Case and separators do not count, and a
 * name stands for its last words too: `token` hides `accessToken` and `ACCESS-TOKEN`, but not
 * `tokenCount`.
 */
export const RedactedFields: Context.Reference<ReadonlyArray<string>> = Context.Reference(
  "flange/RedactedFields",
  { defaultValue: () => defaultNames }
)

/** How many names are remembered, and the longest of them. Callers may choose names. */
const maxKnown = 4096
const maxName = 256

/** Returns the words of a name in lower case: `api`, `key` for `apiKey`, `API-KEY` and `APIKey`. */
const wordsOf = (name: string): ReadonlyArray<string> =>
  name
    .normalize("NFKC")
    .replace(/([\p{Ll}\p{N}])(?=\p{Lu})/gu, "$1 ")
    .replace(/(\p{Lu})(?=\p{Lu}\p{Ll})/gu, "$1 ")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "")

/** `name=value`, such as in a query, in a form or in a cookie. */
const assignment = /(?<![\w.%[\]-])([\w.%[\]-]+)=("[^"]*"?|\\+"[^"]*"?|'[^']*'?|[^\s&;,"'<>]+)/g

/** The password in front of the host of a URL. */
const userInfo = /(?<=:\/\/[^\s/:"']*:)[^\s/"']+(?=@)/g

/** A bearer token. The word alone is often followed by another word. */
const bearer = /(?<=\bbearer )[\w.~+/-]{16,}=*/gi

/** Decides which fields are hidden, and hides secrets inside texts. */
export class Redaction {
  readonly #known = new Map<string, boolean>()
  readonly #names: ReadonlySet<string>
  readonly #patterns: ReadonlyArray<RegExp>

  constructor(names: ReadonlyArray<RegExp | string>) {
    const texts = names.filter((name) => typeof name === "string")
    this.#names = new Set(texts.map((name) => wordsOf(name).join("")))
    this.#patterns = names.filter((name) => typeof name !== "string")
  }

  /** Checks whether the value of a field is hidden. */
  isHidden(name: string): boolean {
    // The last words decide.
    const end = name.length > maxName ? name.slice(-maxName) : name
    let is = this.#known.get(end)
    if (is === undefined) {
      if (this.#known.size >= maxKnown) this.#known.clear()
      is = this.#find(end)
      this.#known.set(end, is)
    }
    return is
  }

  /** Returns the value of a field, or what stands in its place. */
  shown<Value>(name: string, value: Value): typeof hidden | Value {
    return this.isHidden(name) ? hidden : value
  }

  #find(name: string): boolean {
    const words = wordsOf(name)
    return (
      words.some((_, i) => this.#names.has(words.slice(i).join(""))) ||
      // A pattern with the flag `g` remembers where it was.
      this.#patterns.some((pattern) => name.search(pattern) !== -1)
    )
  }

  /**
   * Returns a text without the secrets in it: the values of hidden names in queries, cookies and
   * JSON, the passwords of URLs, and bearer tokens.
   */
  text(text: string): string {
    let shown = text
    if (shown.includes("=")) {
      shown = shown.replace(assignment, (all, name: string) =>
        this.isHidden(name) ? `${name}=${hidden}` : all
      )
    }
    if (shown.includes('"')) {
      shown = replaceMembers(shown, (name) => this.isHidden(name), hidden)
    }
    if (shown.includes("://")) shown = shown.replace(userInfo, hidden)
    return shown.includes("earer ") ? shown.replace(bearer, hidden) : shown
  }
}

/** A redaction of the default names. */
export const byDefault = new Redaction(defaultNames)

type Names = ReadonlyArray<RegExp | string>

/** The redactions of apps, by the names of their headers. */
const made = new WeakMap<Names, readonly [Redaction, Names, Names]>()

/**
 * Returns the redaction of an app: of `RedactedFields`, and of the names of headers and query
 * parameters that Effect hides, such as those that an authentication chain reads.
 */
export const of = (get: <S>(reference: Context.Reference<S>) => S): Redaction => {
  const fields = get(RedactedFields)
  const headers = get(Headers.CurrentRedactedNames)
  const params = get(UrlParams.CurrentRedactedNames)
  const known = made.get(headers)
  if (known !== undefined && known[1] === fields && known[2] === params) return known[0]
  const redaction = new Redaction([...fields, ...headers, ...params])
  made.set(headers, [redaction, fields, params])
  return redaction
}
