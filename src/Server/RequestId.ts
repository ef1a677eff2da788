/** The id of a request: taken over from the caller where it is sane, made otherwise. */
import * as Context from "effect/Context"

/** The header that carries the id in and out. */
export const header = "x-request-id"

const accepted = /^[A-Za-z0-9._-]{1,128}$/

/**
 * The id of the request that this fiber serves; `""` outside a request. It is on
 * every log line of the request and in every problem document.
 */
export const RequestId: Context.Reference<string> = Context.Reference("flange/RequestId", {
  defaultValue: () => ""
})

/** The caller's id if it has 1 to 128 characters of `[A-Za-z0-9._-]`, else a new UUIDv7. */
export const fromHeader = (value: string | undefined): string =>
  value !== undefined && accepted.test(value) ? value : make()

const pool = new Uint8Array(16 * 256)
let used = pool.length

/** A new UUIDv7. Source: RFC 9562, section 5.7. */
export const make = (): string => {
  if (used === pool.length) {
    crypto.getRandomValues(pool)
    used = 0
  }
  const bytes = pool.subarray(used, (used += 16))
  const now = Date.now()
  bytes[0] = now / 2 ** 40
  bytes[1] = now / 2 ** 32
  bytes[2] = now / 2 ** 24
  bytes[3] = now / 2 ** 16
  bytes[4] = now / 2 ** 8
  bytes[5] = now
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  let id = ""
  for (let i = 0; i < 16; i++) {
    id += hex[bytes[i]!]
    if (i === 3 || i === 5 || i === 7 || i === 9) id += "-"
  }
  return id
}

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))
