/** What the records of OTLP are written to. A record is written in the same way in every format. */

/**
 * Writes the fields of protobuf messages. Every field has its number and its name, because a
 * format needs one of the two.
 *
 * Source: OpenTelemetry Protocol, and the JSON mapping of Protocol Buffers.
 */
export interface Sink {
  bool(field: number, name: string, value: boolean): void
  /** Ends a message. */
  close(mark: number): void
  closeList(): void
  double(field: number, name: string, value: number): void
  /** Writes a list of 64-bit floating point numbers. */
  doubles(field: number, name: string, values: ReadonlyArray<number>): void
  fixed32(field: number, name: string, value: number): void
  fixed64(field: number, name: string, value: bigint): void
  /** Writes a list of 64-bit integers that are not negative. */
  fixed64s(field: number, name: string, values: ReadonlyArray<number>): void
  /** Writes the id of a trace or a span, which has hexadecimal digits. */
  id(field: number, name: string, value: string): void
  /** Writes a 64-bit integer. */
  int64(field: number, name: string, value: bigint | number): void
  /** Begins a message in a list, and returns the mark that ends it. */
  item(field: number, bound: number): number
  /** The bytes of the records so far, or about as many. */
  readonly length: number
  /** Begins a message of at most `bound` bytes, and returns the mark that ends it. */
  open(field: number, name: string, bound: number): number
  openList(name: string): void
  /** Forgets what was written since `length` had this value. */
  reset(length: number): void
  /** Returns the records so far and begins anew. */
  take(): Uint8Array<ArrayBuffer>
  text(field: number, name: string, value: string): void
  /** Writes a small integer that is not negative. */
  uint32(field: number, name: string, value: number): void
}

/** The bound of a message whose size is not known before it is written. */
export const unbounded = 0xff_ff_ff
