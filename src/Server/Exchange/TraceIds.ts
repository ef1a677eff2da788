/** The ids of traces and spans. */

/** Random bytes, which are made many at once. */
const pool = Buffer.alloc(8192)
let at = pool.length

/** Returns where the pool has so many unused bytes. */
const reserve = (size: number): number => {
  if (at + size > pool.length) {
    crypto.getRandomValues(pool)
    at = 0
  }
  at += size
  return at - size
}

/** Returns the id of a span: sixteen hexadecimal digits. */
export const span = (): string => {
  const from = reserve(8)
  return pool.toString("hex", from, from + 8)
}

/** Returns the id of a trace: thirty-two hexadecimal digits. */
export const trace = (): string => {
  const from = reserve(16)
  return pool.toString("hex", from, from + 16)
}

/** Returns a random number from 0 up to 1. */
export const random = (): number => pool.readUIntBE(reserve(6), 6) / 2 ** 48
