/** The media types that are compressed. Source: RFC 9110, section 8.3.1. */
import { withoutBlanks } from "../../Server/Exchange/Semantics.ts"

/** Checks whether a reply with this `Content-Type` is compressed. */
export type IsCompressible = (contentType: string | undefined) => boolean

/** Returns the check for media types, `type/*` and `*+suffix`. Event streams never pass it. */
export const make = (types: ReadonlyArray<string>): IsCompressible => {
  const exact = new Set(types)
  return (contentType) => {
    if (contentType === undefined) return false
    const end = contentType.indexOf(";")
    const type = withoutBlanks(end === -1 ? contentType : contentType.slice(0, end)).toLowerCase()
    if (exact.has(type)) return true
    const plus = type.lastIndexOf("+")
    return (
      type !== "text/event-stream" &&
      (exact.has(`${type.slice(0, type.indexOf("/"))}/*`) ||
        (plus !== -1 && exact.has(`*${type.slice(plus)}`)))
    )
  }
}
