/** The body of a reply that is written over time. Source: RFC 9112, section 7.1. */
import type { Socket } from "node:net"
import type { Sink, Source } from "../../Exchange/PushedBody.ts"

const lastChunk = "0\r\n\r\n"

/** Returns bytes as one chunk. */
const chunk = (bytes: Uint8Array): Buffer => {
  const size = `${bytes.length.toString(16)}\r\n`
  const whole = Buffer.allocUnsafe(size.length + bytes.length + 2)
  whole.write(size, 0, "latin1")
  whole.set(bytes, size.length)
  whole.write("\r\n", size.length + bytes.length, "latin1")
  return whole
}

/** The reply to one request. It begins when those before it on the connection are sent. */
export class Pushing implements Sink {
  readonly #done: () => void
  #drains: Array<() => void> | undefined
  #head = ""
  #isChunked = true
  #isOver = false
  #onEnd: (() => void) | undefined
  #socket: Socket | undefined
  readonly #source: Source

  constructor(source: Source, done: () => void) {
    this.#done = done
    this.#source = source
  }

  get buffered(): number {
    return this.#socket?.writableLength ?? 0
  }

  /** Sets what is written when the reply begins, and what is called when it ends. */
  prepare(head: string, isChunked: boolean, onEnd: () => void): void {
    this.#head = head
    this.#isChunked = isChunked
    this.#onEnd = onEnd
  }

  /** Begins the reply: it is the first of the connection. */
  begin(socket: Socket): void {
    if (this.#isOver || this.#socket !== undefined) return
    this.#socket = socket
    socket.cork()
    socket.write(this.#head, "latin1")
    this.#head = ""
    this.#source.start(this)
    socket.uncork()
  }

  cut(): void {
    if (!this.#isOver) this.#socket?.destroy()
  }

  end(): void {
    if (this.#isOver) return
    if (this.#isChunked) this.#socket!.write(lastChunk, "latin1")
    this.closed()
    this.#onEnd!()
  }

  onDrain(done: () => void): void {
    if (this.#socket?.writableNeedDrain === true) (this.#drains ??= []).push(done)
    else queueMicrotask(done)
  }

  /** The socket takes further bytes. */
  drained(): void {
    const drains = this.#drains ?? []
    this.#drains = undefined
    for (const done of drains) done()
  }

  write(bytes: Uint8Array): void {
    if (!this.#isOver) this.#socket!.write(this.#isChunked ? chunk(bytes) : bytes)
  }

  /** The reply has ended, or the client has disconnected. */
  closed(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#source.closed()
    queueMicrotask(this.#done)
  }
}
