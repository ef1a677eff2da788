/** How a conditional request, or one for a part, is answered. Source: RFC 9110, sections 13.2.2 and 14.2. */
import * as Conditions from "../../Server/Exchange/Conditions.ts"

/** What is known of a content. */
export interface Validators {
  /** A strong or weak entity tag with its quotes. */
  readonly etag?: string | undefined
  readonly lastModified?: Date | undefined
}

/** The part of a content that is sent: bytes from `from` to `to`, both included. */
export interface Part {
  readonly from: number
  readonly to: number
}

/** The reply: 412, 304, 416, 206 with a part, or 200. */
export type Decision = "changed" | "notModified" | "outside" | Part | "whole"

/** The headers of a request, by lower-case name. */
export type Header = (name: string) => string | undefined

/**
 * Decides how a request is answered. `size` is the length of content of which parts can be read. Several ranges
 * get the whole content: their reply may be longer than it.
 */
export const make = (
  header: Header,
  method: string,
  { etag, lastModified }: Validators,
  size: number | undefined
): Decision => {
  const match = Conditions.tagsOf(header("if-match"), "left out")
  if (match === undefined) {
    if (Conditions.isAfter(lastModified, header("if-unmodified-since")) === true) return "changed"
  } else if (match !== "*" && (etag === undefined || !match.includes(etag))) return "changed"
  const none = Conditions.tagsOf(header("if-none-match"), "compared")
  if (none === undefined) {
    if (Conditions.isAfter(lastModified, header("if-modified-since")) === false) {
      return "notModified"
    }
  } else if (none === "*" || (etag !== undefined && none.includes(etag.replace(/^W\//, "")))) {
    return "notModified"
  }
  const range = method === "GET" ? Conditions.rangeOf(header("range")) : undefined
  if (range === undefined || size === undefined) return "whole"
  const ifRange = header("if-range")
  if (ifRange !== undefined && !Conditions.isSame(ifRange, etag)) return "whole"
  return Conditions.resolved(range, size) ?? "outside"
}
