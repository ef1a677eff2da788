/** A proxied listener over handlers that a test gives, and clients that send exact bytes. */
import { once } from "node:events"
import * as Net from "node:net"
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type { Bound } from "../../../../src/Plugin/Host.ts"
import { Exchange } from "../../../../src/Server/Exchange/Exchange.ts"
import { Serving } from "../../../../src/Server/Exchange/Serving.ts"
import type { Wire } from "../../../../src/Server/Exchange/Wire.ts"
import { listen } from "../../../../src/Server/Listener/Proxied/ProxiedListener.ts"
import { ServerConfig } from "../../../../src/Server/ServerConfig.ts"

/** Upgrades a request to a WebSocket that sends back what it receives. */
export const echo = (request: HttpServerRequest) =>
  Effect.gen(function* () {
    const socket = yield* request.upgrade
    const reader = yield* socket.reader
    const { writeAll } = yield* socket.writer
    return yield* Effect.forever(Effect.flatMap(reader.pull, writeAll))
  }).pipe(
    Effect.scoped,
    Effect.catch(() => Effect.succeed(HttpServerResponse.empty()))
  )

/** What a test gives. */
export interface Given {
  readonly config?: object
  /** Answers a request on its wire, or returns `false` to have it opened. */
  readonly dispatch?: (wire: Wire) => boolean
  /** Answers an opened request. */
  readonly exchange?: Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    never,
    HttpServerRequest | Scope.Scope
  >
  /** Runs when the drain interrupts what is under way. */
  readonly interrupt?: Effect.Effect<void>
  /** Is given what the listener logs. */
  readonly onLog?: (message: unknown) => void
}

/** A listener that runs. */
export interface Rig {
  readonly bound: Bound
  readonly close: () => Promise<void>
  readonly connect: () => Promise<Client>
  readonly port: number
}

const plan = {
  bodyLimit: Number.MAX_SAFE_INTEGER,
  constant: new Set<string>(),
  endpoint: undefined,
  headers: [],
  isBare: true,
  isOpened: true,
  readsBody: false,
  maxBodySize: ByteSize.fromInputUnsafe(Number.MAX_SAFE_INTEGER),
  observers: [],
  open: 0,
  plugin: "test",
  route: { method: "*", path: "*" },
  time: undefined,
  transforms: [],
  upgrades: true
}

const match = { params: {}, refusal: undefined, searchParams: {} }

const notFound = Effect.succeed(HttpServerResponse.empty({ status: 404 }))

/** Starts a listener on a free port of 127.0.0.1, or where `config` says. */
export const start = async ({
  config,
  dispatch = () => false,
  exchange = notFound,
  interrupt = Effect.void,
  onLog = () => {}
}: Given): Promise<Rig> => {
  const scope = Scope.makeUnsafe()
  // An app without services.
  const serving = new Serving(Context.empty() as Context.Context<unknown>)
  Object.assign(serving, { interrupt: Effect.andThen(interrupt, serving.interrupt) })
  const decoded = Schema.decodeUnknownSync(
    ServerConfig.schema as Schema.ConstraintCodec<(typeof ServerConfig)["Service"], object>
  )({ port: 0, ...config })
  const bound = await Effect.runPromise(
    listen({
      config: decoded,
      serve: (wire) => {
        if (dispatch(wire)) return
        wire.load(() => new Exchange(serving, wire, plan, match).respond(exchange))
      },
      serving,
      upgrades: () => true
    }).pipe(
      Effect.provide(Logger.layer([Logger.make(({ message }) => onLog(message))])),
      Scope.provide(scope)
    )
  )
  const port = bound.address!.startsWith("http") ? Number(new URL(bound.address!).port) : 0
  const target = port === 0 ? { path: bound.address!.slice(5) } : { host: "127.0.0.1", port }
  return {
    bound,
    close: () => Effect.runPromise(Scope.close(scope, Exit.void)),
    connect: async () => {
      const socket = Net.connect({
        allowHalfOpen: true,
        noDelay: true,
        ...target
      } as Net.NetConnectOpts)
      const client = new Client(socket)
      await once(socket, "connect")
      return client
    },
    port
  }
}

/** One reply as a client reads it. */
export interface Reply {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly status: number
}

/** A client over one connection that sends and receives bytes. */
export class Client {
  #chunks: Array<Buffer> = []
  readonly #closed: Promise<void>
  isEnded = false
  readonly socket: Net.Socket
  #wake: (() => void) | undefined

  constructor(socket: Net.Socket) {
    this.socket = socket
    socket.on("data", (bytes: Buffer) => {
      this.#chunks.push(bytes)
      this.#wake?.()
    })
    socket.on("error", () => {})
    this.#closed = new Promise((resolve) => {
      const end = () => {
        this.isEnded = true
        this.#wake?.()
        resolve()
      }
      socket.on("end", end)
      socket.on("close", end)
    })
  }

  get #bytes(): Buffer {
    const bytes = Buffer.concat(this.#chunks)
    this.#chunks = [bytes]
    return bytes
  }

  /** What came and was not taken by `reply`. */
  get text(): string {
    return this.#bytes.toString("latin1")
  }

  send(text: Buffer | string): void {
    this.socket.write(typeof text === "string" ? Buffer.from(text, "latin1") : text)
  }

  /** Waits until the server ends the connection, and gives all that came. */
  async end(): Promise<string> {
    await this.#closed
    return this.text
  }

  /** Waits until what came fits. */
  async until(fits: (text: string) => boolean): Promise<string> {
    while (!fits(this.text)) {
      if (this.isEnded) throw new Error(`The connection ended after ${JSON.stringify(this.text)}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return this.text
  }

  /** Waits for the next reply, and takes it. */
  async reply(method = "GET"): Promise<Reply> {
    for (;;) {
      const bytes = this.#bytes
      const found = readReply(bytes, method, this.isEnded)
      if (found !== undefined) {
        this.#chunks = [bytes.subarray(found.length)]
        return found.reply
      }
      if (this.isEnded) throw new Error(`No whole reply in ${JSON.stringify(this.text)}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  destroy(): void {
    this.socket.destroy()
  }
}

/** All replies in a text. */
export const replies = (text: string, methods: ReadonlyArray<string> = []): Array<Reply> => {
  let rest = Buffer.from(text, "latin1")
  const all: Array<Reply> = []
  while (rest.length > 0) {
    const found = readReply(rest, methods[all.length] ?? "GET", true)
    if (found === undefined)
      throw new Error(`No whole reply in ${JSON.stringify(rest.toString("latin1"))}`)
    all.push(found.reply)
    rest = rest.subarray(found.length)
  }
  return all
}

const readReply = (
  bytes: Buffer,
  method: string,
  isEnded: boolean
): { readonly length: number; readonly reply: Reply } | undefined => {
  const headEnd = bytes.indexOf("\r\n\r\n")
  if (headEnd === -1) return undefined
  const [first, ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n")
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first!)![1])
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(":")
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  const start = headEnd + 4
  const give = (body: Buffer, length: number) => ({
    length,
    reply: { body: body.toString("utf8"), headers, status }
  })
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) {
    return give(Buffer.alloc(0), start)
  }
  if (headers["transfer-encoding"] === "chunked") {
    const parts: Array<Buffer> = []
    for (let at = start; ;) {
      const lineEnd = bytes.indexOf("\r\n", at)
      if (lineEnd === -1) return undefined
      const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16)
      const next = lineEnd + 2 + size + 2
      if (bytes.length < next) return undefined
      if (size === 0) return give(Buffer.concat(parts), next)
      parts.push(bytes.subarray(lineEnd + 2, next - 2))
      at = next
    }
  }
  const length = headers["content-length"]
  if (length === undefined) {
    return isEnded ? give(bytes.subarray(start), bytes.length) : undefined
  }
  const end = start + Number(length)
  return bytes.length < end ? undefined : give(bytes.subarray(start, end), end)
}
