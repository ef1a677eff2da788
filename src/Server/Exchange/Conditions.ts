/** The headers of conditional requests and of requests for a part. Source: RFC 9110, sections 13 and 14. */

/** What a header says of entity tags: any, or these. */
export type Tags = "*" | ReadonlyArray<string>

/** Reads a list of entity tags. Weak ones are compared as strong ones, or left out. */
export const tagsOf = (
  header: string | undefined,
  weak: "compared" | "left out"
): Tags | undefined => {
  if (header === undefined) return undefined
  if (header.trim() === "*") return "*"
  const tags = header.match(/(?:W\/)?"[^"]*"/g) ?? []
  return weak === "compared"
    ? tags.map((tag) => tag.replace(/^W\//, ""))
    : tags.filter((tag) => !tag.startsWith("W/"))
}

/** Part of a content: bytes from `from` to `to`, both included, or the `last` bytes. */
export type ByteRange =
  | { readonly from: number; readonly to?: number | undefined }
  | { readonly last: number }

/** Reads a header of one range of bytes; undefined for several, and for any other header. */
export const rangeOf = (header: string | undefined): ByteRange | undefined => {
  const match = /^bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))$/i.exec(header ?? "")
  if (match === null) return undefined
  const [, from, to, last] = match
  if (from === undefined) return { last: Number(last) }
  if (to === undefined || to === "") return { from: Number(from) }
  return Number(from) > Number(to) ? undefined : { from: Number(from), to: Number(to) }
}

/** Returns the first and the last byte of a range in a content of this size; undefined if it has none. */
export const resolved = (
  range: ByteRange,
  size: number
): { readonly from: number; readonly to: number } | undefined => {
  const from = "last" in range ? Math.max(0, size - range.last) : range.from
  const to = "last" in range ? size - 1 : Math.min(range.to ?? size - 1, size - 1)
  return from > to ? undefined : { from, to }
}

/** Checks whether `If-Range` names this content. A date and a weak tag do not tell whether the bytes are the same. */
export const isSame = (ifRange: string, etag: string | undefined): boolean =>
  ifRange === etag && /^"[^"]*"$/.test(ifRange)

const dates = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/
]
const dateWithoutZone = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/

/**
 * Returns the Unix milliseconds of a date of HTTP, and `NaN` for any other text. `Date.parse` alone takes texts
 * such as `item 7` for dates. Source: RFC 9110, section 5.6.7.
 */
export const timeOf = (text: string): number => {
  if (dates.some((date) => date.test(text))) return Date.parse(text)
  return dateWithoutZone.test(text) ? Date.parse(`${text} GMT`) : Number.NaN
}

/** Checks whether a content was changed after the time of a header. A header that is no time says nothing. */
export const isAfter = (
  lastModified: Date | undefined,
  header: string | undefined
): boolean | undefined => {
  if (lastModified === undefined || header === undefined) return undefined
  const time = timeOf(header)
  return Number.isNaN(time) ? undefined : Math.floor(lastModified.getTime() / 1000) * 1000 > time
}
