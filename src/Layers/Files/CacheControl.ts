/** How long clients and caches may use a file without asking again. */
import * as Duration from "effect/Duration"

/** A year: the longest time that caches keep. */
const year = 31_536_000

// A digest of 8 hexadecimal digits or more, with a letter and a digit: not a date, a number or a word.
const hashed = /[.-](?=[\da-f]*\d)(?=[\da-f]*[a-f])[\da-f]{8,}\.[\da-z.]+$/

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
    const isFixed = hashed.test(path) || (immutable !== undefined && path.search(immutable) !== -1)
    return isFixed ? `${prefix}, max-age=${year}, immutable` : usual
  }
}
