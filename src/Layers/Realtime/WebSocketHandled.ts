/** A connection of a channel with the fiber of its handler. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { type ChannelClosed, codes } from "../../Contract/ChannelClose.ts"
import { logFailure } from "../../Server/Exchange/FailureLog.ts"
import type { Connection, OpenConnection, Owner } from "./WebSocketConnection.ts"

/** The state that the channels of an app share. */
export interface ChannelsState {
  /** The connections that are open or whose handler has not ended. */
  readonly all: Set<Pick<HandledConnection, "destroy" | "restart" | "tick">>
  readonly countClosed: (channel: string, code: number) => void
  /** Called when the last connection has ended. */
  readonly idle: Set<() => void>
  isDraining: boolean
}

/** The members of a connection that do not depend on its messages. */
type AnyConnection = Omit<OpenConnection<never, never>, keyof Connection<never, never> | "next">

interface Handling {
  readonly context: Context.Context<unknown>
  readonly handler: Effect.Effect<unknown, ChannelClosed, unknown>
  readonly isTraced: boolean
  readonly scope: Scope.Closeable
}

const restarts = "The server restarts"

/** A connection that was accepted. It does not keep the request. */
export class HandledConnection implements Owner {
  readonly #connection: AnyConnection
  readonly #context: Context.Context<unknown>
  #hasEnded = false
  #fiber: Fiber.Fiber<unknown, unknown> | undefined
  #handling: Handling | undefined
  readonly #members: Set<unknown>
  readonly #state: ChannelsState

  constructor(
    handling: Handling,
    connection: AnyConnection,
    members: Set<unknown>,
    state: ChannelsState
  ) {
    this.#connection = connection
    this.#context = handling.context
    this.#handling = handling
    this.#members = members
    this.#state = state
  }

  onOpened(): void {
    const { handler, isTraced, scope } = this.#handling!
    this.#handling = undefined
    this.#state.all.add(this)
    this.#members.add(this.#connection)
    if (this.#state.isDraining) return this.restart()
    const scoped = Effect.onExit(handler, (exit) =>
      Effect.onExit(Scope.close(scope, exit), () => Effect.sync(() => this.#ended(exit)))
    )
    const fiber = Effect.runForkWith(this.#context)(
      isTraced ? Effect.withSpan(scoped, `websocket ${this.#connection.channel}`) : scoped
    )
    if (!this.#hasEnded) this.#fiber = fiber
  }

  onClosed(): void {
    const connection = this.#connection
    this.#members.delete(connection)
    this.#state.countClosed(connection.channel, connection.end!.code)
    Effect.runForkWith(this.#context)(logClosed(connection))
    this.#forget()
  }

  onDefect(defect: unknown): void {
    const message = `The channel "${this.#connection.channel}" failed to answer a message that does not fit it`
    Effect.runForkWith(this.#context)(logFailure(message, Cause.die(defect)))
  }

  /** Closes the connection because the server stops. */
  restart(): void {
    this.#connection.shut(codes.goingAway, restarts)
  }

  /** Closes the connection at once, and interrupts the handler. */
  destroy(): void {
    this.#connection.destroy()
    this.#fiber?.interruptUnsafe()
  }

  /** Ends the connection of a silent client, and a handler that outlives its connection. */
  tick(now: number, closeTimeout: number): void {
    const { closedAt } = this.#connection
    if (closedAt === undefined) this.#connection.tick(now)
    else if (now - closedAt >= closeTimeout) this.#fiber?.interruptUnsafe()
  }

  #ended(exit: Exit.Exit<unknown, unknown>): void {
    this.#fiber = undefined
    this.#hasEnded = true
    this.#forget()
    const connection = this.#connection
    if (Exit.isSuccess(exit)) return connection.shut(codes.normal, "")
    if (isExpected(exit.cause)) return connection.shut(codes.goingAway, restarts)
    connection.shut(codes.internal, "Internal error")
    const message = `The handler of channel "${connection.channel}" failed`
    Effect.runForkWith(this.#context)(logFailure(message, exit.cause))
  }

  /** Is over once both the connection and its handler have ended. */
  #forget(): void {
    const { all, idle } = this.#state
    if (this.#connection.closedAt === undefined || this.#fiber !== undefined) return
    all.delete(this)
    if (all.size > 0) return
    for (const done of idle) done()
    idle.clear()
  }
}

/** Whether a handler ended because its connection or the app did. */
const isExpected = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.every(
    (reason) =>
      reason._tag === "Interrupt" ||
      (reason._tag === "Fail" && (reason.error as { _tag?: string })._tag === "ChannelClosed")
  )

const logClosed = (connection: AnyConnection) =>
  Effect.annotateLogs(Effect.logInfo("WebSocket closed"), {
    bytesReceived: connection.bytesIn,
    bytesSent: connection.bytesOut,
    channel: connection.channel,
    code: connection.end!.code,
    durationMs: Math.round(connection.closedAt! - connection.openedAt),
    messagesReceived: connection.messagesIn,
    messagesSent: connection.messagesOut,
    ...(connection.end!.reason === "" ? {} : { reason: connection.end!.reason })
  })
