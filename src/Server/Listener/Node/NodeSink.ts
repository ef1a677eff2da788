/** The body of a reply of `node:http` that is written over time. */
import type * as Http from "node:http"
import type { Sink } from "../../Exchange/PushedBody.ts"

/** Writes the body of a reply whose head is written. */
export class NodeSink implements Sink {
  readonly #reply: Http.ServerResponse

  constructor(reply: Http.ServerResponse) {
    this.#reply = reply
  }

  get buffered(): number {
    return this.#reply.writableLength
  }

  cut(): void {
    this.#reply.destroy()
  }

  end(): void {
    this.#reply.end()
  }

  onDrain(done: () => void): void {
    if (this.#reply.writableNeedDrain) this.#reply.once("drain", done)
    else queueMicrotask(done)
  }

  write(bytes: Uint8Array): void {
    if (!this.#reply.writableEnded && !this.#reply.destroyed) this.#reply.write(bytes)
  }
}
