/** The body of a reply of an HTTP/2 stream that is written over time. */
import type { ServerHttp2Stream } from "node:http2"
import type { Sink } from "../../../Exchange/PushedBody.ts"
import * as Pieces from "./Pieces.ts"

/** Writes the body of a reply whose head is sent. */
export class Http2Sink implements Sink {
  readonly #stream: ServerHttp2Stream

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream
  }

  get buffered(): number {
    return this.#stream.writableLength
  }

  get #isOver(): boolean {
    const stream = this.#stream
    return stream.writableEnded || stream.destroyed || stream.closed
  }

  cut(): void {
    // `close` would end the reply first, which would then look whole.
    this.#stream.destroy(new Error("The reply was cut off"))
  }

  end(): void {
    if (!this.#isOver) this.#stream.end()
  }

  onDrain(done: () => void): void {
    if (this.#stream.writableNeedDrain) this.#stream.once("drain", done)
    else queueMicrotask(done)
  }

  write(bytes: Uint8Array): void {
    if (this.#isOver) return
    if (Pieces.isLong(bytes)) Pieces.write(this.#stream, bytes)
    else this.#stream.write(bytes)
  }
}
