/** How much of a request the parser reads before it refuses it. */
export interface Limits {
  /** Longest head, and longest section of trailers, in bytes. */
  readonly maxHeaderBytes: number
  /** Most fields in a head, and most trailers. */
  readonly maxHeaders: number
  /** Longest request line and longest field line, in bytes with CRLF. */
  readonly maxLineBytes: number
}
