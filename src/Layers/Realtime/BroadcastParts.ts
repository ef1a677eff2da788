/** Splits texts into payloads that PostgreSQL takes, and puts them together again. */
import type { Letter } from "./BroadcastBus.ts"

/** `NOTIFY` refuses a payload of 8000 bytes. */
const maxPayload = 7999

/** The most bytes of an address, an id and two numbers. */
const maxHeader = 43 + 1 + 32 + 1 + 6 + 1 + 6 + 1

/** The bytes of a text in one payload. */
export const partSize = maxPayload - maxHeader

const header = /^([\w-]{43}) (\w{1,32}) (\d{1,6}) (\d{1,6}) /

/** Returns the payloads of a text, whose id no other text has. */
export const split = ({ address, text }: Letter, id: string): ReadonlyArray<string> => {
  const bytes = Buffer.from(text)
  if (bytes.length <= partSize) return [`${address} ${id} 0 1 ${text}`]
  const parts: Array<string> = []
  for (let from = 0; from < bytes.length;) {
    let to = Math.min(bytes.length, from + partSize)
    // Not within the bytes of a character.
    while (to < bytes.length && (bytes[to]! & 0xc0) === 0x80) to--
    parts.push(bytes.toString("utf8", from, to))
    from = to
  }
  return parts.map((part, index) => `${address} ${id} ${index} ${parts.length} ${part}`)
}

/**
 * Puts the texts of a channel together. PostgreSQL delivers the parts of a text one after another, so one
 * incomplete text is kept at most.
 */
export class Assembly {
  #id = ""
  readonly #maxParts: number
  #parts: Array<string> = []

  /** Texts of more bytes are dropped. */
  constructor(maxSize: number) {
    // A part may be three bytes short, at the end of a character.
    this.#maxParts = Math.ceil(maxSize / (partSize - 3))
  }

  /** Adds a payload, and returns the text that it completes. Payloads of others are ignored. */
  add(payload: string): Letter | undefined {
    const found = header.exec(payload)
    if (found === null) return undefined
    const [whole, address, id, index, count] = found
    const part = payload.slice(whole.length)
    if (count === "1") return { address: address!, text: part }
    if (Number(count) > this.#maxParts) return undefined
    const own = `${address} ${id} ${count}`
    if (index === "0") {
      this.#id = own
      this.#parts = []
    }
    if (own !== this.#id || Number(index) !== this.#parts.length) {
      // Its beginning came before the connection listened.
      this.#id = ""
      this.#parts = []
      return undefined
    }
    this.#parts.push(part)
    if (this.#parts.length < Number(count)) return undefined
    const text = this.#parts.join("")
    this.#id = ""
    this.#parts = []
    return { address: address!, text }
  }
}
