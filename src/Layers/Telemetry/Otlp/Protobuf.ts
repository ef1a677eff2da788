/** Records in the wire format of Protocol Buffers. */
import type { Sink } from "./Sink.ts"

const varint = 0
const eight = 1
const delimited = 2
const four = 5

/** The buffer of a new sink, and the largest one that is kept between two requests, in bytes. */
const smallest = 16_384
const largest = 4 * 1024 * 1024

/** Texts up to this length are written without a call of the runtime. */
const shortText = 48

/**
 * A sink of Protocol Buffers. The length of a message stands before it and is known only after it.
 * So as many bytes are kept as the longest possible length takes, and a shorter one is padded: a
 * varint may have leading zeros.
 */
export class Protobuf implements Sink {
  #at = 0
  #buffer = Buffer.allocUnsafe(smallest)
  #view = viewOf(this.#buffer)

  get length(): number {
    return this.#at
  }

  bool(field: number, _name: string, value: boolean): void {
    this.#tag(field, varint, 1)
    this.#buffer[this.#at++] = value ? 1 : 0
  }

  close(mark: number): void {
    const width = mark & 7
    let at = mark >>> 3
    let length = this.#at - at - width
    for (let i = 1; i < width; i++) {
      this.#buffer[at++] = (length & 0x7f) | 0x80
      length >>>= 7
    }
    this.#buffer[at] = length
  }

  closeList(): void {}

  double(field: number, _name: string, value: number): void {
    this.#tag(field, eight, 8)
    this.#view.setFloat64(this.#at, value, true)
    this.#at += 8
  }

  doubles(field: number, _name: string, values: ReadonlyArray<number>): void {
    if (values.length === 0) return
    this.#tag(field, delimited, values.length * 8 + 10)
    this.#varint(values.length * 8)
    for (const value of values) {
      this.#view.setFloat64(this.#at, value, true)
      this.#at += 8
    }
  }

  fixed32(field: number, _name: string, value: number): void {
    this.#tag(field, four, 4)
    this.#view.setUint32(this.#at, value, true)
    this.#at += 4
  }

  fixed64(field: number, _name: string, value: bigint): void {
    this.#tag(field, eight, 8)
    this.#view.setBigUint64(this.#at, value, true)
    this.#at += 8
  }

  fixed64s(field: number, _name: string, values: ReadonlyArray<number>): void {
    if (values.length === 0) return
    this.#tag(field, delimited, values.length * 8 + 10)
    this.#varint(values.length * 8)
    for (const value of values) {
      this.#view.setBigUint64(this.#at, BigInt(value), true)
      this.#at += 8
    }
  }

  id(field: number, _name: string, value: string): void {
    const bytes = value.length >>> 1
    this.#tag(field, delimited, bytes + 1)
    this.#buffer[this.#at++] = bytes
    this.#at += this.#buffer.write(value, this.#at, "hex")
  }

  int64(field: number, _name: string, value: bigint | number): void {
    this.#tag(field, varint, 10)
    if (typeof value === "number" && value >= 0) return this.#varint(value)
    let rest = BigInt.asUintN(64, BigInt(value))
    for (; rest > 0x7fn; rest >>= 7n) this.#buffer[this.#at++] = Number(rest & 0x7fn) | 0x80
    this.#buffer[this.#at++] = Number(rest)
  }

  item(field: number, bound: number): number {
    const width = widthOf(bound)
    this.#tag(field, delimited, width)
    const mark = (this.#at << 3) | width
    this.#at += width
    return mark
  }

  open(field: number, _name: string, bound: number): number {
    return this.item(field, bound)
  }

  openList(): void {}

  reset(length: number): void {
    this.#at = length
  }

  take(): Uint8Array<ArrayBuffer> {
    const records = new Uint8Array(this.#buffer.subarray(0, this.#at))
    this.#at = 0
    // The next records rarely need as much as a large one.
    if (this.#buffer.length > largest) this.#use(Buffer.allocUnsafe(smallest))
    return records
  }

  text(field: number, _name: string, value: string): void {
    const { length } = value
    // A UTF-16 unit takes at most three bytes.
    const mark = this.item(field, length * 3)
    this.#room(length * 3)
    const written = length > shortText ? -1 : this.#ascii(value)
    this.#at += written === -1 ? this.#buffer.write(value, this.#at) : written
    this.close(mark)
  }

  uint32(field: number, _name: string, value: number): void {
    this.#tag(field, varint, 5)
    this.#varint(value)
  }

  /** Writes a text of ASCII and returns its length. Returns -1 for any other text. */
  #ascii(value: string): number {
    const buffer = this.#buffer
    const at = this.#at
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      if (unit > 0x7f) return -1
      buffer[at + i] = unit
    }
    return value.length
  }

  #room(size: number): void {
    const needed = this.#at + size
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#use(larger)
  }

  /** Writes a tag, and makes room for a value of this size. */
  #tag(field: number, type: number, size: number): void {
    this.#room(size + 2)
    this.#varint((field << 3) | type)
  }

  #use(buffer: Buffer<ArrayBuffer>): void {
    this.#buffer = buffer
    this.#view = viewOf(buffer)
  }

  #varint(value: number): void {
    let rest = value
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) {
      this.#buffer[this.#at++] = (rest % 128) | 0x80
    }
    this.#buffer[this.#at++] = rest
  }
}

const viewOf = ({ buffer, byteLength, byteOffset }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)

/** Returns how many bytes the length of a message takes. */
const widthOf = (bound: number): number => (bound < 0x80 ? 1 : bound < 0x4000 ? 2 : 4)
