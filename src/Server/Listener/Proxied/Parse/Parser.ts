/** A strict, incremental parser of HTTP/1.1 requests. Source: RFC 9112. */
import type { Refusal } from "../../Refusal.ts"
import { Chunks } from "./Chunks.ts"
import { FieldSection, type Limits } from "./FieldSection.ts"
import { Head } from "./Head.ts"
import { More, Refused, RequestLine } from "./RequestLine.ts"

/** The events that `next` returns. */
export const ParseEvent = {
  /** Bytes of the body: `parser.data`. */
  Data: 0,
  /** The body is complete. A request without a body has no such event. */
  End: 1,
  /** A request begins: `parser.head`. */
  Head: 2,
  /** The next event needs more bytes. */
  More: 3,
  /** The request is refused: `parser.refusal` has the reason. No other event follows. */
  Refused: 4
} as const

/** An event that `next` returns. */
export type ParseEvent = (typeof ParseEvent)[keyof typeof ParseEvent]

/** The most empty lines that are skipped before a request line. */
const maxEmptyLines = 8

const CR = 0x0d
const LF = 0x0a

const nothing = Buffer.alloc(0)

/**
 * Reads requests from pieces of a connection's bytes, one event at a time, so that the
 * owner decides when to continue. A request with more than one reading is refused. The result
 * does not depend on where the bytes were cut. Only a head that comes in several pieces is
 * copied.
 */
export class Parser {
  #buffer: Buffer = nothing
  readonly #chunks: Chunks
  data: Buffer = nothing
  /** The number of empty lines before the current request line. */
  #emptyLines = 0
  readonly #fields: FieldSection
  /** The head of the last request, also of a refused one if its head could be read. */
  head: Head | undefined
  /** Whether the request line of the current head is read. */
  #inFields = false
  readonly #limits: Limits
  readonly #line = new RequestLine()
  #position = 0
  refusal: Refusal | undefined
  /** Octets of a body that are still to come, if its length is known. */
  remaining = 0
  #state: "chunked" | "ended" | "head" | "length" = "head"

  constructor(limits: Limits) {
    this.#limits = limits
    this.#chunks = new Chunks(limits)
    this.#fields = new FieldSection(limits)
  }

  /** Whether the parser has bytes of an incomplete head. */
  get isInHead(): boolean {
    return this.#state === "head" && this.#position < this.#buffer.length
  }

  /** Adds bytes. They must not change afterwards. */
  push(bytes: Buffer): void {
    this.#buffer =
      this.#position === this.#buffer.length
        ? bytes
        : Buffer.concat([this.#buffer.subarray(this.#position), bytes])
    this.#position = 0
  }

  /** Takes the unread bytes, which belong to another protocol. */
  rest(): Buffer {
    const rest = this.#buffer.subarray(this.#position)
    this.#buffer = nothing
    this.#position = 0
    return rest
  }

  /** Reads to the next event. */
  next(): ParseEvent {
    if (this.refusal !== undefined) return ParseEvent.Refused
    switch (this.#state) {
      case "chunked":
        return this.#chunked()
      case "ended":
        this.#state = "head"
        return ParseEvent.End
      case "head":
        return this.#head()
      case "length":
        return this.#length()
    }
  }

  /**
   * Skips empty lines before a request line, and returns whether the line has begun. Source:
   * RFC 9112, section 2.2.
   */
  #skipEmptyLines(): boolean {
    const buffer = this.#buffer
    for (; this.#emptyLines < maxEmptyLines; this.#emptyLines++) {
      const next = this.#position + 1
      if (buffer[next - 1] !== CR) break
      if (next === buffer.length) return false
      if (buffer[next] !== LF) break
      this.#position += 2
    }
    return this.#position < buffer.length
  }

  #head(): ParseEvent {
    const buffer = this.#buffer
    if (!this.#inFields && !this.#skipEmptyLines()) return ParseEvent.More
    const start = this.#position
    const line = this.#line
    const fields = this.#fields
    if (!this.#inFields) {
      const { maxHeaderBytes, maxLineBytes } = this.#limits
      const end = line.scan(buffer, start, Math.min(maxHeaderBytes, maxLineBytes))
      if (end < 0) return end === More ? ParseEvent.More : this.#refuse(line.refusal)
      fields.begin(end - start)
      this.#inFields = true
    }
    const end = fields.scan(buffer, start)
    if (end < 0) return end === More ? ParseEvent.More : this.#refuse(fields.refusal)
    const head = new Head({
      index: fields.index,
      methodEnd: line.methodEnd,
      minor: line.minor,
      targetEnd: line.targetEnd,
      text: buffer.toString("latin1", start, end)
    })
    const refusal = head.interpret()
    if (refusal !== undefined) return this.#refuse(refusal, head)
    this.head = head
    this.#emptyLines = 0
    this.#inFields = false
    this.#position = end
    if (head.chunked) {
      this.#chunks.begin()
      this.#state = "chunked"
    } else if (head.contentLength > 0) {
      this.remaining = head.contentLength
      this.#state = "length"
    }
    return ParseEvent.Head
  }

  #length(): ParseEvent {
    const available = this.#buffer.length - this.#position
    if (available === 0) return ParseEvent.More
    return this.#give(Math.min(available, this.remaining))
  }

  #give(length: number): ParseEvent {
    this.data = this.#buffer.subarray(this.#position, (this.#position += length))
    if (this.#state === "length" && (this.remaining -= length) === 0) this.#state = "ended"
    return ParseEvent.Data
  }

  #chunked(): ParseEvent {
    const chunks = this.#chunks
    const read = chunks.read(this.#buffer, this.#position)
    if (read === Refused) return this.#refuse(chunks.refusal)
    this.#position = chunks.position
    if (chunks.isComplete) {
      this.#state = "head"
      return ParseEvent.End
    }
    return read === More ? ParseEvent.More : this.#give(read)
  }

  #refuse(refusal: Refusal, head?: Head): ParseEvent {
    this.head = head
    this.refusal = refusal
    this.#buffer = nothing
    this.#position = 0
    return ParseEvent.Refused
  }
}
