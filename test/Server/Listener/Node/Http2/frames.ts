/** Frames of HTTP/2 as bytes, so that tests can send what no client sends. Source: RFC 9113, section 4.1. */
import { connect, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"

export const types = {
  continuation: 9,
  data: 0,
  goaway: 7,
  headers: 1,
  ping: 6,
  priority: 2,
  pushPromise: 5,
  rstStream: 3,
  settings: 4,
  windowUpdate: 8
} as const

export const flags = { ack: 1, endHeaders: 4, endStream: 1, padded: 8, priority: 32 } as const

export const codes = {
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
  flowControl: 3,
  frameSize: 6,
  internal: 2,
  none: 0,
  protocol: 1,
  refusedStream: 7,
  streamClosed: 5
} as const

export const preface: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

export interface Frame {
  readonly flags: number
  readonly payload: Buffer
  readonly stream: number
  readonly type: number
}

/** Returns a frame. `length` is the length to claim. */
export const frame = (
  type: number,
  flag: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
  length: number = payload.length
): Buffer => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flag, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

/** Returns an integer of HPACK with a prefix of 7 bits. Source: RFC 7541, section 5.1. */
const integer = (value: number): Buffer => {
  if (value < 127) return Buffer.from([value])
  const bytes = [127]
  let rest = value - 127
  for (; rest >= 128; rest >>= 7) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value, "latin1")
  return Buffer.concat([integer(bytes.length), bytes])
}

/** Returns fields as literals without indexing. Source: RFC 7541, section 6.2.2. */
export const block = (...fields: ReadonlyArray<readonly [string, string]>): Buffer =>
  Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))

export const settings = (...entries: ReadonlyArray<readonly [id: number, value: number]>): Buffer =>
  frame(
    types.settings,
    0,
    0,
    Buffer.concat(
      entries.map(([id, value]) => Buffer.concat([Buffer.from([0, id]), uint32(value)]))
    )
  )

/** Returns a complete HEADERS frame. */
export const headers = (stream: number, fields: Buffer, flag: number = flags.endStream): Buffer =>
  frame(types.headers, flag | flags.endHeaders, stream, fields)

export const data = (stream: number, body: string, flag: number = flags.endStream): Buffer =>
  frame(types.data, flag, stream, Buffer.from(body))

export const ping = (mark: string): Buffer => frame(types.ping, 0, 0, Buffer.from(mark.padEnd(8)))

export const rst = (stream: number, code: number = codes.cancel): Buffer =>
  frame(types.rstStream, 0, stream, uint32(code))

export const windowUpdate = (stream: number, increment: number): Buffer =>
  frame(types.windowUpdate, 0, stream, uint32(increment))

/** A raw connection: the frames that have come, and a wait for more of them. */
export class Connection {
  readonly frames: Array<Frame> = []
  isClosed = false
  #read = Buffer.alloc(0)
  readonly #socket: Socket
  #wake: () => void = () => {}

  /** With `allowHalfOpen` it does not close its side when the server does. */
  constructor(url: string, { allowHalfOpen = false }: { readonly allowHalfOpen?: boolean } = {}) {
    const { hostname, port, protocol } = new URL(url)
    const options = { allowHalfOpen, host: hostname, port: Number(port) }
    this.#socket =
      protocol === "https:"
        ? connectTls({ ...options, ALPNProtocols: ["h2"], rejectUnauthorized: false })
        : connect(options)
    this.#socket.on("data", (bytes) => this.#onData(bytes))
    // A server may cut a client that breaks the rules.
    this.#socket.on("error", () => {})
    this.#socket.on("close", () => {
      this.isClosed = true
      this.#wake()
    })
  }

  #onData(bytes: Buffer): void {
    this.#read = Buffer.concat([this.#read, bytes])
    while (this.#read.length >= 9) {
      const end = 9 + this.#read.readUIntBE(0, 3)
      if (this.#read.length < end) break
      this.frames.push({
        flags: this.#read.readUInt8(4),
        payload: this.#read.subarray(9, end),
        stream: this.#read.readUInt32BE(5),
        type: this.#read.readUInt8(3)
      })
      this.#read = this.#read.subarray(end)
    }
    this.#wake()
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Begins HTTP/2 with these settings. */
  begin(...entries: ReadonlyArray<readonly [id: number, value: number]>): this {
    return this.send(preface, settings(...entries), frame(types.settings, flags.ack, 0))
  }

  send(...bytes: ReadonlyArray<Buffer>): this {
    if (!this.#socket.destroyed) this.#socket.write(Buffer.concat(bytes))
    return this
  }

  pause(): void {
    this.#socket.pause()
  }

  /** Waits until a frame has come that fits, and returns it; undefined if the connection ends before. */
  async find(fits: (frame: Frame) => boolean): Promise<Frame | undefined> {
    for (;;) {
      const found = this.frames.find(fits)
      if (found !== undefined || this.isClosed) return found
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Waits until the connection is closed. */
  async closed(): Promise<void> {
    await this.find(() => false)
  }
}
