/** The typed client of a channel, for browsers, Node, Bun and Deno. */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as FindMyWay from "effect/http/FindMyWay"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Channel from "./Channel.ts"
import { ChannelClosed, codes } from "./ChannelClose.ts"
import * as ChannelText from "./ChannelText.ts"
import * as OwnKeys from "./OwnKeys.ts"
import * as PathWriter from "./PathWriter.ts"
import * as RoutePath from "./RoutePath.ts"

/** The connection was not opened. */
export class ChannelNotOpened extends Data.TaggedError("ChannelNotOpened")<{
  readonly reason: string
}> {
  override get message(): string {
    return `The channel was not opened: ${this.reason}`
  }
}

/** The members of a WebSocket that the client uses. That of browsers and that of `ws` have them. */
export interface Socket {
  addEventListener(
    type: "close" | "error" | "message" | "open",
    listener: (event: never) => void
  ): void
  readonly bufferedAmount: number
  close(code?: number, reason?: string): void
  send(text: string): void
}

/** An open channel, as its client sees it. */
export interface Client<in Send, out Receive> {
  /** Waits until either side closes the connection. */
  readonly closed: Effect.Effect<ChannelClosed>
  /** The messages of the server. The stream fails with `ChannelClosed` if the code is not 1000. */
  readonly messages: Stream.Stream<Receive, ChannelClosed>
  /** Sends a message. It waits while a megabyte waits to be sent. */
  send(message: Send): Effect.Effect<void, ChannelClosed>
}

/** A part of a request that the endpoint declares, and one that it does not. */
type Part<Name extends string, Value> = [Value] extends [never]
  ? { readonly [Key in Name]?: undefined }
  : { readonly [Key in Name]: Value }

/** The parameters of an endpoint. */
export type Parameters<E extends Channel.Endpoint> = Part<"params", E["~Params"]["Type"]> &
  Part<"query", E["~Query"]["Type"]>

/** The options of a connection. */
export interface Options {
  /** The most messages that wait to be read, before the client closes the connection with 4008. */
  readonly maxWaiting?: number | undefined
  /** The subprotocols to offer. Default: those of the channel. */
  readonly subprotocols?: ReadonlyArray<string> | undefined
  /** The origin of the service, such as `https://api.example.com`. */
  readonly url: string | URL
  /** Creates the WebSocket. Default: the global one, which cannot send headers. */
  readonly webSocket?: ((url: string, subprotocols: Array<string>) => Socket) | undefined
}

const maxBuffered = 2 ** 20

const pollMillis = 20

/**
 * Connects to a channel. The connection is closed with the scope. To connect again after it broke, run
 * the effect again.
 *
 * A browser tells nothing about a refused handshake, so `ChannelNotOpened` does not have the problem
 * document of the server.
 */
export const connect = <
  E extends Channel.Endpoint,
  Receive extends ChannelText.MessageSchema,
  Send extends ChannelText.MessageSchema
>(
  channel: Channel.Channel<E, Receive, Send>,
  options: Options & Parameters<E>
): Effect.Effect<Client<Receive["Type"], Send["Type"]>, ChannelNotOpened, Scope.Scope> =>
  Effect.gen(function* () {
    const url = yield* urlOf(channel, options)
    const incoming = ChannelText.of(channel.send)
    const outgoing = ChannelText.of(channel.receive)
    const protocols = [...(options.subprotocols ?? channel.subprotocols)]
    const open = options.webSocket ?? openGlobal
    const made = yield* Effect.acquireRelease(
      Effect.try({
        catch: (error) => new ChannelNotOpened({ reason: String(error) }),
        try: () => new Connected(open(url, protocols), incoming, options.maxWaiting ?? 10_000)
      }),
      (connected) => Effect.sync(() => connected.close(codes.normal))
    )
    yield* made.opened
    return {
      closed: made.closed,
      messages: made.messages,
      send: (message) => Effect.suspend(() => made.send(outgoing.encode(message)))
    }
  })

const openGlobal = (url: string, subprotocols: Array<string>): Socket =>
  new globalThis.WebSocket(url, subprotocols) as unknown as Socket

/** Returns the address of a channel with its encoded parameters. */
const urlOf = <E extends Channel.Endpoint>(
  { endpoint }: Pick<Channel.Channel<E, never, never>, "endpoint">,
  { params, query, url }: Options & Partial<Parameters<E>>
): Effect.Effect<string, ChannelNotOpened> =>
  Effect.gen(function* () {
    // Every endpoint is a `Top`. The constraint has only the members that inference needs.
    const whole = endpoint as unknown as HttpApiEndpoint.Top
    const encode = (schema: Schema.Top | undefined, value: unknown) =>
      schema === undefined
        ? Effect.succeed({})
        : Effect.mapError(
            // The schemas of parameters need no services, and encode to texts.
            OwnKeys.encodeUnknownEffect(
              schema as unknown as Schema.ConstraintCodec<unknown, object>
            )(value),
            ({ message }) => new ChannelNotOpened({ reason: message })
          )
    const { parts } = RoutePath.parse(whole.path, RoutePath.declaredNames(whole.params))
    const write = PathWriter.make(parts, {
      method: "GET",
      name: whole.identifier,
      routes: FindMyWay.make()
    })
    const path = write((yield* encode(whole.params, params)) as PathWriter.Values)
    if (Result.isFailure(path)) {
      const { parameter, reason } = path.failure
      return yield* new ChannelNotOpened({ reason: `parameter "${parameter}" ${reason}.` })
    }
    const made = new URL(path.success, url)
    made.protocol = made.protocol.replace(/^http/, "ws")
    for (const [name, value] of Object.entries(yield* encode(whole.query, query))) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined) made.searchParams.append(name, String(one))
      }
    }
    return made.href
  })

type Resume = (effect: Effect.Effect<void>) => void

class Connected<A> {
  #end: ChannelClosed | undefined
  #isOpen = false
  readonly #maxWaiting: number
  #queue: Array<A> = []
  readonly #socket: Socket
  readonly #text: ChannelText.ChannelText<A>
  #waiting: Array<Resume> = []

  constructor(socket: Socket, text: ChannelText.ChannelText<A>, maxWaiting: number) {
    this.#maxWaiting = maxWaiting
    this.#socket = socket
    this.#text = text
    socket.addEventListener("open", () => {
      this.#isOpen = true
      this.#wake()
    })
    // The event has no reason, and `close` follows.
    socket.addEventListener("error", () => {})
    socket.addEventListener("message", ({ data }: { readonly data: unknown }) => this.#hear(data))
    socket.addEventListener(
      "close",
      ({ code, reason }: { readonly code: number; readonly reason: string }) => {
        this.#end ??= new ChannelClosed({ code, reason })
        this.#wake()
      }
    )
  }

  get closed(): Effect.Effect<ChannelClosed> {
    const waited: Effect.Effect<ChannelClosed> = Effect.suspend(() =>
      this.#end === undefined
        ? Effect.flatMap(this.#changed, () => waited)
        : Effect.succeed(this.#end)
    )
    return waited
  }

  get messages(): Stream.Stream<A, ChannelClosed> {
    const pull: Effect.Effect<readonly [A, ...Array<A>], Cause.Done | ChannelClosed> =
      Effect.suspend(() => {
        const [first, ...rest] = this.#queue
        if (this.#queue.length > 0) {
          this.#queue = []
          return Effect.succeed([first!, ...rest] as const)
        }
        if (this.#end === undefined) return Effect.flatMap(this.#changed, () => pull)
        return this.#end.code === codes.normal ? Cause.done() : Effect.fail(this.#end)
      })
    return Stream.fromPull(Effect.succeed(pull))
  }

  get opened(): Effect.Effect<void, ChannelNotOpened> {
    const waited: Effect.Effect<void, ChannelNotOpened> = Effect.suspend(() => {
      if (this.#isOpen) return Effect.void
      return this.#end === undefined
        ? Effect.flatMap(this.#changed, () => waited)
        : Effect.fail(
            new ChannelNotOpened({
              reason: `The server refused the handshake, or cannot be reached (${this.#end.code}).`
            })
          )
    })
    return waited
  }

  close(code: number, reason = ""): void {
    if (this.#end === undefined) this.#end = new ChannelClosed({ code, reason })
    this.#socket.close(code, reason)
    this.#wake()
  }

  send(text: string): Effect.Effect<void, ChannelClosed> {
    return Effect.suspend(() => {
      if (this.#end !== undefined) return Effect.fail(this.#end)
      if (this.#socket.bufferedAmount > maxBuffered) {
        return Effect.andThen(Effect.sleep(pollMillis), this.send(text))
      }
      this.#socket.send(text)
      return Effect.void
    })
  }

  #hear(data: unknown): void {
    if (this.#end !== undefined) return
    // A browser may send only codes from 3000 on.
    if (typeof data !== "string") return this.close(4003, "Bytes are not expected")
    const decoded = this.#text.decode(data)
    if (Result.isFailure(decoded)) return this.close(4007, "The message does not fit the channel")
    this.#queue.push(decoded.success)
    if (this.#queue.length > this.#maxWaiting) this.close(4008, "Too many messages wait")
    this.#wake()
  }

  get #changed(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      this.#waiting.push(resume)
      return Effect.sync(() => {
        this.#waiting = this.#waiting.filter((one) => one !== resume)
      })
    })
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume(Effect.void)
  }
}
