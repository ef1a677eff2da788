/** The id of a request: the caller's if it is well-formed, otherwise a new one. */
import * as Context from "effect/Context"

/** The header that carries the id in and out. */
export const header = "x-request-id"

const accepted = /^[A-Za-z0-9._-]{1,128}$/

/**
 * The id of the request that this fiber serves; `""` outside a request. Every log line
 * of the request and every problem document has it.
 */
export const RequestId: Context.Reference<string> = Context.Reference("flange/RequestId", {
  defaultValue: () => ""
})

/**
 * Returns the caller's id if it has 1 to 128 characters of `[A-Za-z0-9._-]`, otherwise a new
 * UUIDv7.
 */
export const fromHeader = (value: string | undefined): string =>
  value !== undefined && accepted.test(value) ? value : make()

/** Random octets for many ids, because each call for random octets is slow. */
const pool = new Uint8Array(10 * 1024)
let used = pool.length

/**
 * The character codes of an id. A string that is made of codes is flat. One that is joined
 * from parts would be a rope, which is slower to read.
 */
const text = Array.from({ length: 36 }, () => "-".charCodeAt(0))

/** The positions of an id's octets in its text. */
const places = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]

const digits = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0))

const write = (octet: number, value: number): void => {
  const at = places[octet]!
  text[at] = digits[value >> 4]!
  text[at + 1] = digits[value & 0x0f]!
}

/** The time in `text`. */
let millis = 0

/** Creates a UUIDv7. Source: RFC 9562, section 5.7. */
export const make = (): string => {
  if (used === pool.length) {
    crypto.getRandomValues(pool)
    used = 0
  }
  const now = Date.now()
  if (now !== millis) {
    millis = now
    for (let i = 0; i < 6; i++) write(i, Math.floor(now / 2 ** (40 - 8 * i)) & 0xff)
  }
  write(6, (pool[used]! & 0x0f) | 0x70)
  write(7, pool[used + 1]!)
  write(8, (pool[used + 2]! & 0x3f) | 0x80)
  for (let i = 9; i < 16; i++) write(i, pool[used + i - 6]!)
  used += 10
  return String.fromCharCode.apply(null, text)
}
