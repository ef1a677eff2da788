/** The service that runs the connections of channels. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Scope from "effect/Scope"
import * as Metering from "../../Plugin/Metering.ts"
import { CurrentExchange, type Exchange } from "../../Server/Exchange/Exchange.ts"
import { logFailure } from "../../Server/Exchange/FailureLog.ts"
import * as Problem from "../../Server/Exchange/Problem.ts"
import * as WebSocketUpgrade from "../../Server/Exchange/WebSocketUpgrade.ts"
import type * as Channel from "./Channel.ts"
import { type ChannelClosed, codes } from "./ChannelClose.ts"
import * as ChannelText from "./ChannelText.ts"
import type { Settings } from "./WebSocketConfig.ts"
import { type Connection, OpenConnection, type Shared } from "./WebSocketConnection.ts"
import * as WebSocketHandshake from "./WebSocketHandshake.ts"
import * as WebSocketLimits from "./WebSocketLimits.ts"

type Reply = HttpServerResponse.HttpServerResponse

/** The options of a channel on the server. */
export interface ChannelOptions<Send> extends WebSocketLimits.LimitOptions {
  /**
   * Returns the answer to a message that does not fit the channel. Without one, or if it returns
   * undefined, the connection is closed with 1007. The reason begins with a JSON pointer.
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

/** The function that handles a connection. */
type Run<Receive, Send, R> = (
  connection: Connection<Receive, Send>
) => Effect.Effect<unknown, ChannelClosed, R>

/** The members of a connection that do not depend on its messages. */
type AnyConnection = Omit<OpenConnection<never, never>, keyof Connection<never, never>>

/** A connection with the fiber of its handler. */
interface Tracked {
  readonly connection: AnyConnection
  fiber: Fiber.Fiber<unknown, unknown> | undefined
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
>()("flange/WebSockets") {}

const restarts = "The server restarts"

/** Creates the service. Its scope ends the connections that are left. */
export const make = (settings: Settings): Effect.Effect<WebSockets["Service"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const app = yield* Effect.context<never>()
    const clock = yield* Clock.Clock
    const now = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
    const all = new Set<Tracked>()
    const idle = new Set<() => void>()
    const count = { bytesIn: 0, bytesOut: 0, messagesIn: 0, messagesOut: 0 }
    let isDraining = false
    let open = 0
    const closeTimeout = Duration.toMillis(settings.closeTimeout)
    let pace = Math.min(5000, closeTimeout / 2)
    yield* meter(count, () => open)
    const countClosed = closings(app)

    const begin = (
      { channel, connection, exchange, join, leave }: Beginning,
      run: Effect.Effect<unknown, ChannelClosed, unknown>,
      services: Context.Context<unknown>
    ): void => {
      const tracked: Tracked = { connection, fiber: undefined }
      const scope = Scope.makeUnsafe()
      const context = exchange.detached(services, scope)
      const forget = () => {
        if (connection.closedAt === undefined || tracked.fiber !== undefined) return
        all.delete(tracked)
        if (all.size === 0) for (const done of idle) done()
      }
      const ended = (exit: Exit.Exit<unknown, unknown>) => {
        tracked.fiber = undefined
        forget()
        if (Exit.isSuccess(exit)) return connection.shut(codes.normal, "")
        if (connection.end !== undefined && isExpected(exit.cause)) return
        if (Cause.hasInterruptsOnly(exit.cause)) return connection.shut(codes.goingAway, restarts)
        connection.shut(codes.internal, "Internal error")
        const log = logFailure(`The handler of channel "${channel}" failed`, exit.cause)
        Effect.runForkWith(context)(log)
      }
      connection.owner = {
        onClosed: () => {
          open--
          leave()
          forget()
          countClosed(channel, connection)
          Effect.runForkWith(context)(logClosed(channel, connection))
        },
        onOpened: () => {
          open++
          all.add(tracked)
          join()
          if (isDraining) return connection.shut(codes.goingAway, restarts)
          const handler = Effect.onExit(run, (exit) => Scope.close(scope, exit))
          const span = exchange.parentSpan
          tracked.fiber = Effect.runForkWith(context)(
            span === undefined ? handler : Effect.withSpan(handler, `websocket ${channel}`)
          )
          tracked.fiber.addObserver(ended)
        }
      }
    }

    const serve = <Receive, Send>(
      { name, receive, send, subprotocols }: Parts<Receive, Send>,
      options: ChannelOptions<Send>
    ): ServedChannel<Receive, Send> => {
      const limits = WebSocketLimits.make(settings, options)
      pace = Math.max(10, Math.min(pace, limits.idleTimeout / 4, limits.sendTimeout / 4))
      const rules = { origins: new Set(options.origins), subprotocols }
      const { onInvalid } = options
      const shared: Shared<Receive, Send> = { count, limits, now, onInvalid, receive, send }
      const members = new Set<OpenConnection<Receive, Send>>()
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
            const decision = WebSocketHandshake.decide(exchange, rules, isDraining)
            if ("error" in decision) return Problem.render(decision.error, exchange)
            const { protocol } = decision
            const connection = new OpenConnection(shared, exchange.requestId, protocol)
            const leave = () => void members.delete(connection)
            begin(
              { channel: name, connection, exchange, join: () => void members.add(connection), leave },
              run(connection),
              services
            )
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
      for (const { connection, fiber } of all) {
        const { closedAt } = connection
        if (closedAt === undefined) connection.tick(at)
        else if (at - closedAt >= closeTimeout) fiber?.interruptUnsafe()
      }
    })
    yield* Effect.forkScoped(
      Effect.forever(Effect.andThen(Effect.suspend(() => Effect.sleep(pace)), sweep))
    )
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const { connection, fiber } of all) {
          connection.destroy()
          fiber?.interruptUnsafe()
        }
      })
    )

    const drain = Effect.suspend(() => {
      isDraining = true
      for (const { connection } of all) connection.shut(codes.goingAway, restarts)
      return all.size === 0
        ? Effect.void
        : Effect.callback<void>((resume) => {
            const done = () => resume(Effect.void)
            idle.add(done)
            return Effect.sync(() => idle.delete(done))
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

/** A connection whose handshake is accepted. */
interface Beginning {
  readonly channel: string
  readonly connection: AnyConnection
  readonly exchange: Exchange
  /** Adds it to the open connections of its channel. */
  readonly join: () => void
  readonly leave: () => void
}

/** Whether a handler ended because its connection did. */
const isExpected = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.every(
    (reason) =>
      reason._tag === "Interrupt" ||
      (reason._tag === "Fail" && (reason.error as { _tag?: string })._tag === "ChannelClosed")
  )

const logClosed = (channel: string, connection: AnyConnection) =>
  Effect.annotateLogs(Effect.logInfo("WebSocket closed"), {
    bytesReceived: connection.bytesIn,
    bytesSent: connection.bytesOut,
    channel,
    code: connection.end!.code,
    durationMs: Math.round(connection.closedAt! - connection.openedAt),
    messagesReceived: connection.messagesIn,
    messagesSent: connection.messagesOut,
    ...(connection.end!.reason === "" ? {} : { reason: connection.end!.reason })
  })

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
  return (channel: string, { end }: AnyConnection): void => {
    // A client may send any code of its own.
    const code = end!.code < 3000 ? String(end!.code) : "other"
    const key = `${channel} ${code}`
    const add = series.get(key) ?? counter({ channel, code })
    series.set(key, add)
    add()
  }
}
