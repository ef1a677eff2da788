/** How long clients and caches may use a file without asking again. */
import * as Duration from "effect/Duration"

/** A year: the longest time that caches keep. */
const year = 31_536_000

/** 8 hexadecimal digits or more, with a letter and a digit: not a date, a number or a word. */
const isDigest = (text: string): boolean =>
  text.length >= 8 && /^[\da-f]+$/.test(text) && /\d/.test(text) && /[a-f]/.test(text)

/** Returns whether the name of a file has a digest before its extension, such as `app-3f2a91bc.min.js`. */
const hasDigest = (path: string): boolean => {
  const parts = path.slice(path.lastIndexOf("/") + 1).split(".")
  return parts.slice(0, -1).some((part, at) => {
    const dash = part.lastIndexOf("-")
    return (at > 0 || dash !== -1) && isDigest(part.slice(dash + 1))
  })
}

/** The rules of a directory. */
export interface Rules {
  readonly immutable: RegExp | undefined
  readonly isShared: boolean
  readonly maxAge: Duration.Input | undefined
}

/**
 * Returns the function that returns the header for a file, by its path below the directory. A page is always
 * asked for again, because it names the other files.
 */
export const make = ({ immutable, isShared, maxAge }: Rules): ((path: string) => string) => {
  const prefix = isShared ? "public" : "private"
  const seconds =
    maxAge === undefined
      ? 0
      : Math.min(year, Math.floor(Duration.toSeconds(Duration.fromInputUnsafe(maxAge))))
  const usual = seconds > 0 ? `${prefix}, max-age=${seconds}` : `${prefix}, no-cache`
  return (path) => {
    if (/\.html?$/i.test(path)) return `${prefix}, no-cache`
    // A pattern with the flag g would go on where it has stopped.
    const isFixed = hasDigest(path) || (immutable !== undefined && path.search(immutable) !== -1)
    return isFixed ? `${prefix}, max-age=${year}, immutable` : usual
  }
}
