/** What the parser makes of bytes, in words. */
import type { Limits } from "../../../../../src/Server/Listener/Proxied/Parse/FieldSection.ts"
import { ParseEvent, Parser } from "../../../../../src/Server/Listener/Proxied/Parse/Parser.ts"

/** The limits that a listener has by default. */
export const limits: Limits = { maxHeaderBytes: 16 * 1024, maxHeaders: 128, maxLineBytes: 8 * 1024 }

/** A request that the parser gave. */
export interface Read {
  readonly body: string
  /** Whether more requests may follow on the connection. */
  readonly keepAlive: boolean
  readonly method: string
  readonly rawHeaders: ReadonlyArray<string>
  readonly target: string
}

/** What the parser makes of pieces of a connection's bytes. */
export const read = (
  pieces: Iterable<Buffer>,
  given: Limits = limits
): {
  /** The last request, if its body has no end. */
  readonly cut: Read | undefined
  readonly end: string
  readonly requests: ReadonlyArray<Read>
} => {
  const parser = new Parser(given)
  const requests: Array<Read> = []
  let body: Array<Buffer> | undefined
  for (const piece of pieces) {
    parser.push(piece)
    reading: for (;;) {
      switch (parser.next()) {
        case ParseEvent.Data:
          body!.push(parser.data)
          break
        case ParseEvent.End: {
          const last = requests.pop()!
          requests.push({ ...last, body: Buffer.concat(body!).toString("latin1") })
          body = undefined
          break
        }
        case ParseEvent.Head: {
          const head = parser.head!
          body = head.hasBody ? [] : undefined
          const { keepAlive, method, target } = head
          requests.push({ body: "", keepAlive, method, rawHeaders: head.rawHeaders(), target })
          break
        }
        case ParseEvent.More:
          break reading
        case ParseEvent.Refused: {
          const { error, name } = parser.refusal!
          const cut = body === undefined ? undefined : requests.pop()
          return { cut, end: `${error.status} ${name}`, requests }
        }
      }
    }
  }
  const cut = body === undefined ? undefined : requests.pop()
  return { cut, end: cut !== undefined || parser.isInHead ? "incomplete" : "clean", requests }
}

/** The same as one line: requests with method, target and body, and how it ended. */
export const verdict = (pieces: Iterable<Buffer>, given?: Limits): string => {
  const { end, requests } = read(pieces, given)
  return [
    ...requests.map(({ body, method, target }) =>
      body === "" ? `${method} ${target}` : `${method} ${target} ${JSON.stringify(body)}`
    ),
    end
  ].join("; ")
}

/** One octet at a time. */
export const byByte = (bytes: Buffer): Array<Buffer> =>
  Array.from({ length: bytes.length }, (_, i) => bytes.subarray(i, i + 1))

/** A small seeded generator of numbers below 1, so that a failure can be run again. */
export const generator = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

/** Cuts bytes at random places. */
export const split = (bytes: Buffer, random: () => number): Array<Buffer> => {
  const pieces: Array<Buffer> = []
  const longest = 1 + Math.floor(random() * bytes.length)
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + 1 + Math.floor(random() * longest))
    pieces.push(bytes.subarray(at, end))
    at = end
  }
  return pieces
}
