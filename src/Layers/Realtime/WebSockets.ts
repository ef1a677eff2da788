/** The service that runs the connections of channels. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import type * as Channel from "../../Contract/Channel.ts"
import * as ChannelText from "../../Contract/ChannelText.ts"
import * as Metering from "../../Plugin/Metering.ts"
import { CurrentExchange } from "../../Server/Exchange/Exchange.ts"
import * as Problem from "../../Server/Exchange/Problem.ts"
import * as WebSocketUpgrade from "../../Server/Exchange/WebSocketUpgrade.ts"
import type { Settings } from "./WebSocketConfig.ts"
import type { Connection, Shared } from "./WebSocketConnection.ts"
import { type ChannelsState, HandledConnection, type Run } from "./WebSocketHandled.ts"
import * as WebSocketHandshake from "./WebSocketHandshake.ts"
import * as WebSocketLimits from "./WebSocketLimits.ts"

type Reply = HttpServerResponse.HttpServerResponse

/** The options of a channel on the server. */
export interface ChannelOptions<Send> extends WebSocketLimits.LimitOptions {
  /**
   * Returns the answer to a message that does not fit the channel. Without one, or if it returns
   * undefined, the connection is closed with 1007. The reason begins with the JSON pointer of the part that does not fit.
   */
  readonly onInvalid?: ((reason: string) => Send | undefined) | undefined
  /** The origins whose pages may connect, such as `https://app.example.com`. Default: that of the service. */
  readonly origins?: ReadonlyArray<string> | undefined
}

/** A channel on the server. */
export interface ServedChannel<Receive, Send> {
  /**
   * Sends a message to the connections of this process, encoded once. Returns how many have it.
   * Connections that read too slowly are closed with 1013.
   */
  readonly broadcast: (
    message: Send,
    isFor?: (connection: Connection<Receive, Send>) => boolean
  ) => number
  /** The open connections of this process. */
  readonly connections: ReadonlySet<Connection<Receive, Send>>
  /**
   * Returns the reply that upgrades the connection, or the problem document of a handshake that is
   * refused. The connection lives as long as `run`, which gets a scope of its own. Its services are
   * those of the app and of the caller: the request itself has ended.
   */
  readonly upgrade: <R = never>(
    run: Run<Receive, Send, R>
  ) => Effect.Effect<Reply, never, Exclude<R, Scope.Scope>>
}

/** The service behind the channels of an app. */
export class WebSockets extends Context.Service<
  WebSockets,
  {
    /** Serves a channel. Call it once, where the handlers of the group are built. */
    readonly channel: <
      E extends Channel.Endpoint,
      Receive extends ChannelText.MessageSchema,
      Send extends ChannelText.MessageSchema
    >(
      channel: Channel.Channel<E, Receive, Send>,
      options?: ChannelOptions<Send["Type"]>
    ) => ServedChannel<Receive["Type"], Send["Type"]>
    /** Closes all connections with 1001, and waits until the last one has ended. */
    readonly drain: Effect.Effect<void>
  }
>()("flange/Realtime/WebSockets") {}

/** Creates the service. Its scope ends the connections that are left. */
export const make = (
  settings: Settings
): Effect.Effect<WebSockets["Service"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const app = yield* Effect.context<never>()
    const clock = yield* Clock.Clock
    const began = clock.monotonicTimeNanosUnsafe()
    // V8 keeps small whole numbers within the objects that have them.
    const now = () => Math.round(Number(clock.monotonicTimeNanosUnsafe() - began) / 1e6)
    const count = { bytesIn: 0, bytesOut: 0, messagesIn: 0, messagesOut: 0 }
    let pace = Math.max(10, Math.min(1000, Duration.toMillis(settings.closeTimeout) / 2))
    const state: ChannelsState = {
      all: new Set(),
      countClosed: closings(app),
      idle: new Set(),
      isDraining: false,
      open: 0
    }
    yield* meter(count, () => state.open)

    const serve = <Receive, Send>(
      { name, receive, send, subprotocols }: Parts<Receive, Send>,
      options: ChannelOptions<Send>
    ): ServedChannel<Receive, Send> => {
      const limits = WebSocketLimits.make(settings, options)
      pace = Math.max(10, Math.min(pace, limits.idleTimeout / 4, limits.sendTimeout / 4))
      const rules = { origins: new Set(options.origins), subprotocols }
      const { onInvalid } = options
      const members = new Set<HandledConnection<Receive, Send>>()
      const served = { count, limits, members, name, now, onInvalid, receive, send, state }
      return {
        broadcast: (message, isFor) => {
          const text = send.encode(message)
          let sent = 0
          for (const member of members) {
            if ((isFor === undefined || isFor(member)) && member.offerText(text)) sent++
          }
          return sent
        },
        connections: members,
        upgrade: <R>(run: Run<Receive, Send, R>) =>
          Effect.withFiber<Reply, never, Exclude<R, Scope.Scope>>((fiber) => {
            // The exchange provides itself to the fibers of its request.
            const services = fiber.context as Context.Context<unknown>
            const exchange = Context.getUnsafe(services, CurrentExchange)
            const decision = WebSocketHandshake.decide(exchange, rules, state.isDraining)
            if ("error" in decision) {
              return Effect.map(
                Problem.render(decision.error, exchange),
                HttpServerResponse.setHeaders(decision.headers ?? {})
              )
            }
            const { protocol } = decision
            const request = exchange.detached(services)
            const connection = new HandledConnection(served, request, protocol, run)
            return Effect.succeed(
              WebSocketUpgrade.toResponse(
                new WebSocketUpgrade.WebSocketUpgrade(connection, limits.wire, protocol)
              )
            )
          })
      }
    }

    const channel: WebSockets["Service"]["channel"] = (
      { endpoint, receive, send, subprotocols },
      options = {}
    ) =>
      serve(
        {
          // Every endpoint has a name.
          name: (endpoint as { readonly identifier: string }).identifier,
          receive: ChannelText.of(receive),
          send: ChannelText.of(send),
          subprotocols
        },
        options
      )

    const sweep = Effect.sync(() => {
      const at = now()
      for (const one of state.all) one.tick(at)
    })
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.andThen(
          Effect.suspend(() => Effect.sleep(pace)),
          sweep
        )
      )
    )
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const one of state.all) one.destroy()
      })
    )

    const drain = Effect.suspend(() => {
      state.isDraining = true
      for (const one of state.all) one.restart()
      return state.all.size === 0
        ? Effect.void
        : Effect.callback<void>((resume) => {
            const done = () => resume(Effect.void)
            state.idle.add(done)
            return Effect.sync(() => state.idle.delete(done))
          })
    })
    return { channel, drain }
  })

/** The parts of a channel. */
interface Parts<Receive, Send> {
  readonly name: string
  readonly receive: ChannelText.ChannelText<Receive>
  readonly send: ChannelText.ChannelText<Send>
  readonly subprotocols: ReadonlyArray<string>
}

type Counts = Shared<never, never>["count"]

/** Registers the metrics of all channels. */
const meter = (count: Counts, open: () => number): Effect.Effect<void> =>
  Metering.readings([
    {
      description: "Open WebSockets",
      id: "flange.websocket.connections",
      read: open,
      type: "gauge"
    },
    ...(
      [
        ["received", () => count.messagesIn, () => count.bytesIn],
        ["sent", () => count.messagesOut, () => count.bytesOut]
      ] as const
    ).flatMap(([direction, messages, bytes]): ReadonlyArray<Metering.Reading> => [
      {
        attributes: { direction },
        description: "Messages of WebSockets",
        id: "flange.websocket.messages",
        read: messages,
        type: "counter"
      },
      {
        attributes: { direction },
        description: "Bytes of the messages of WebSockets",
        id: "flange.websocket.bytes",
        read: bytes,
        type: "counter",
        unit: "By"
      }
    ])
  ])

/** Returns the function that counts the ends of connections. */
const closings = (context: Context.Context<never>) => {
  const counter = Metering.counter(
    context,
    "flange.websocket.closed",
    "WebSockets that were closed, by the code of their closing frame"
  )
  const series = new Map<string, () => void>()
  return (channel: string, end: number): void => {
    // A client may send any code of its own.
    const code = end < 3000 ? String(end) : "other"
    const key = `${channel} ${code}`
    const add = series.get(key) ?? counter({ channel, code })
    series.set(key, add)
    add()
  }
}
