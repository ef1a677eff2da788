/** Records as JSON, with a comma between two of them. */
import type { Sink } from "./Sink.ts"

/**
 * A sink of JSON. Names have lower camel case, ids are hexadecimal, and 64-bit integers are texts.
 *
 * Source: OpenTelemetry Protocol, section "JSON Protobuf Encoding".
 */
export class Json implements Sink {
  /** Whether the next member is the first one of its object or list. */
  #isFirst = true
  #text = ""

  get length(): number {
    return this.#text.length
  }

  bool(_field: number, name: string, value: boolean): void {
    this.#member(name, String(value))
  }

  close(): void {
    this.#text += "}"
    this.#isFirst = false
  }

  closeList(): void {
    this.#text += "]"
    this.#isFirst = false
  }

  double(_field: number, name: string, value: number): void {
    this.#member(name, number(value))
  }

  doubles(_field: number, name: string, values: ReadonlyArray<number>): void {
    this.#member(name, `[${values.map(number).join()}]`)
  }

  fixed32(field: number, name: string, value: number): void {
    this.uint32(field, name, value)
  }

  fixed64(_field: number, name: string, value: bigint): void {
    this.#member(name, `"${value}"`)
  }

  fixed64s(_field: number, name: string, values: ReadonlyArray<number>): void {
    this.#member(name, `[${values.map((value) => `"${value}"`).join()}]`)
  }

  id(_field: number, name: string, value: string): void {
    this.#member(name, `"${value}"`)
  }

  int64(_field: number, name: string, value: bigint | number): void {
    this.#member(name, `"${value}"`)
  }

  item(): number {
    return this.#begin("{")
  }

  open(_field: number, name: string): number {
    return this.#begin(`"${name}":{`)
  }

  openList(name: string): void {
    this.#begin(`"${name}":[`)
  }

  reset(length: number): void {
    this.#text = this.#text.slice(0, length)
    this.#isFirst = length === 0
  }

  take(): Uint8Array<ArrayBuffer> {
    const records = new TextEncoder().encode(this.#text)
    this.reset(0)
    return records
  }

  text(_field: number, name: string, value: string): void {
    // A collector refuses a whole request for half of a surrogate pair.
    this.#member(name, JSON.stringify(value.toWellFormed()))
  }

  uint32(_field: number, name: string, value: number): void {
    this.#member(name, String(value))
  }

  #begin(text: string): number {
    this.#text += this.#isFirst ? text : `,${text}`
    this.#isFirst = true
    return 0
  }

  #member(name: string, value: string): void {
    this.#text += this.#isFirst ? `"${name}":${value}` : `,"${name}":${value}`
    this.#isFirst = false
  }
}

/** Returns a number as JSON. Infinity and NaN are texts. */
const number = (value: number): string => (Number.isFinite(value) ? String(value) : `"${value}"`)
