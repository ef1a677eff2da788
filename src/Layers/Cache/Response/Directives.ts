/** What `Cache-Control` of a request and of a reply allows. Source: RFC 9111, section 5.2. */
import { timeOf } from "../../../Server/Exchange/Conditions.ts"

/** The directives of a field by their names in lower case; a directive without a value has `""`. */
type Directives = ReadonlyMap<string, string>

const directive =
  /([!#$%&'*+.^_`|~0-9A-Za-z-]+)[\t ]*(?:=[\t ]*(?:"([^"]*)"|([!#$%&'*+.^_`|~0-9A-Za-z-]+)))?/g

const parse = (text: string): Directives =>
  new Map(
    Array.from(text.matchAll(directive), ([, name, quoted, plain]) => [
      name!.toLowerCase(),
      quoted ?? plain ?? ""
    ])
  )

/** Returns the seconds in a text. Another text counts as zero, so that nothing is fresh. */
const secondsOf = (text: string): number => (/^\d{1,10}$/.test(text) ? Number(text) : 0)

/** What a request accepts. */
export interface Wanted {
  /** Milliseconds: the oldest stored reply. */
  readonly maxAge: number
  /** Milliseconds for which the reply has to stay fresh. */
  readonly minFresh: number
}

const anything: Wanted = { maxAge: Infinity, minFresh: 0 }

/** Returns what a request accepts; `undefined` if neither a stored reply nor to store the reply. */
export const wanted = (
  cacheControl: string | undefined,
  pragma: string | undefined
): Wanted | undefined => {
  if (cacheControl === undefined) {
    return pragma !== undefined && parse(pragma).has("no-cache") ? undefined : anything
  }
  const found = parse(cacheControl)
  if (found.has("no-store") || found.has("no-cache")) return undefined
  const maxAge = found.get("max-age")
  if (maxAge !== undefined && secondsOf(maxAge) === 0) return undefined
  return {
    maxAge: maxAge === undefined ? Infinity : secondsOf(maxAge) * 1000,
    minFresh: secondsOf(found.get("min-fresh") ?? "") * 1000
  }
}

/** Whether a request accepts a stored reply of this age, which is fresh for `ttl` milliseconds. */
export const accepts = ({ maxAge, minFresh }: Wanted, age: number, ttl: number): boolean =>
  age <= maxAge && age + minFresh <= ttl

/** The fields of a reply that tell whether it may be stored. */
export interface ReplyFields {
  readonly cacheControl: string | undefined
  readonly expires: string | undefined
}

/** Whether a reply may be stored and used for `ttl` milliseconds from `now` on. */
export const mayStore = (
  { cacheControl, expires }: ReplyFields,
  { isShared, now, ttl }: { readonly isShared: boolean; readonly now: number; readonly ttl: number }
): boolean => {
  const found = parse(cacheControl ?? "")
  if (found.has("no-store") || found.has("no-cache")) return false
  if (isShared && found.has("private")) return false
  const lifetime = (isShared ? found.get("s-maxage") : undefined) ?? found.get("max-age")
  if (lifetime !== undefined) return secondsOf(lifetime) * 1000 >= ttl
  // An invalid date is in the past.
  return expires === undefined || timeOf(expires) - now >= ttl
}
