/** The origins whose pages may call the app. Source: Fetch, section "CORS protocol". */
import * as Origin from "../../Config/Origin.ts"

/** Checks whether the pages of an origin may call the app. */
export type Predicate = (origin: string) => boolean

/** The origins of `cors.origins`, and those that a predicate allows. */
export class Origins {
  readonly #exact: ReadonlySet<string>
  readonly #patterns: ReadonlyArray<RegExp>
  readonly #predicate: Predicate | undefined

  constructor(origins: ReadonlyArray<string>, predicate: Predicate | undefined) {
    this.#exact = new Set(origins.filter((origin) => !isPattern(origin)))
    this.#patterns = origins.filter(isPattern).map(compiled)
    this.#predicate = predicate
  }

  /** The origin that is allowed, or `*`, if there is exactly one; otherwise undefined. */
  get only(): string | undefined {
    const [only, ...more] = this.#exact
    return more.length === 0 && this.#patterns.length === 0 && this.#predicate === undefined
      ? only
      : undefined
  }

  get isEmpty(): boolean {
    return this.#exact.size + this.#patterns.length === 0 && this.#predicate === undefined
  }

  has(origin: string): boolean {
    return (
      this.#exact.has(origin) ||
      this.#patterns.some((pattern) => pattern.test(origin)) ||
      // A page of any site can have the origin `null`, in a sandboxed frame.
      (this.#predicate !== undefined && Origin.isOrigin(origin) && this.#predicate(origin))
    )
  }
}

const anyHost = "://*."
const anyPort = ":*"

/** Whether a text of `cors.origins` stands for several origins. */
const isPattern = (text: string): boolean => text.includes(anyHost) || text.endsWith(anyPort)

/** Returns an origin that a pattern stands for. */
const exampleOf = (pattern: string): string => withoutPort(pattern).replace(anyHost, "://a.")

const withoutPort = (text: string): string =>
  text.endsWith(anyPort) ? text.slice(0, -anyPort.length) : text

/** Returns the expression of a pattern. Only names of hosts are put in the place of `*`. */
const compiled = (pattern: string): RegExp => {
  const [scheme, host] = withoutPort(pattern).split("://") as [string, string]
  const literal = (text: string) => text.replaceAll(/[$()+.[\]^{|}]/g, String.raw`\$&`)
  const hosts = host.startsWith("*.")
    ? `(?:[a-z0-9_-]{1,63}\\.)+${literal(host.slice(2))}`
    : literal(host)
  return new RegExp(
    `^${literal(scheme)}://${hosts}${pattern.endsWith(anyPort) ? "(?::\\d{1,5})?" : ""}$`
  )
}

/** Returns why a text of `cors.origins` is refused; undefined if it is not. */
export const problemOf = (text: string): string | undefined => {
  if (text === "*") return undefined
  if (text === "null") return "pages of every site can have the origin null, in a sandboxed frame"
  const example = exampleOf(text)
  if (Origin.isOrigin(example)) {
    const [, host = ""] = withoutPort(text).split("://*.")
    return !text.includes(anyHost) || /\.|^localhost(?::|$)/.test(host)
      ? undefined
      : `the hosts of ${host} do not belong to one owner`
  }
  const written = URL.parse(example)?.origin
  return written === undefined || written === "null" || text.includes("*")
    ? "browsers write no origin like it"
    : `browsers write ${written}`
}
