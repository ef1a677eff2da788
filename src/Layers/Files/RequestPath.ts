/** The paths of requests as names below a directory. */

/** A path below a directory. */
export interface RequestPath {
  /** Whether it ends with a slash, or is empty: it is the path of a folder. */
  readonly isFolder: boolean
  readonly segments: ReadonlyArray<string>
}

/** The only folder with a dot whose files are sent. Source: RFC 8615. */
const wellKnown = ".well-known"

// A control character, or one that Windows reads as part of another path: a separator, a drive, a stream.
const refused = /[\p{Cc}"*:<>?\\|]|[. ]$/u

// Names of devices on Windows, in any folder and with any ending.
const device = /^(?:aux|clock\$|com\d|con|lpt\d|nul|prn)(?:\.|$)/i

const isName = (segment: string, i: number): boolean =>
  segment !== "" &&
  (!segment.startsWith(".") || (i === 0 && segment === wellKnown)) &&
  !refused.test(segment) &&
  !device.test(segment)

// A slash or a backslash that is percent-encoded would give one file several paths.
const encodedSeparator = /%(?:2f|5c)/i

/**
 * Reads the rest of a path, which was percent-decoded once. `target` is that of the request. Returns undefined
 * if a segment is empty, begins with a dot, or has a character that no file has.
 */
export const parse = (rest: string, target: string): RequestPath | undefined => {
  if (encodedSeparator.test(target.split("?", 1)[0]!)) return undefined
  const isFolder = rest === "" || rest.endsWith("/")
  const segments = rest === "" ? [] : (isFolder ? rest.slice(0, -1) : rest).split("/")
  return segments.every(isName) ? { isFolder, segments } : undefined
}
