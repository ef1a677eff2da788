/** A connection of a channel with the fiber of its handler. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { type ChannelClosed, codes } from "../../Contract/ChannelClose.ts"
import { hasChildren } from "../../Server/EffectInternals.ts"
import { logFailure } from "../../Server/Exchange/FailureLog.ts"
import type { DetachedRequest } from "../../Server/Exchange/Services.ts"
import { type Connection, OpenConnection, type Shared } from "./WebSocketConnection.ts"

/** A connection of any channel. */
interface AnyConnection {
  readonly destroy: () => void
  readonly restart: () => void
  readonly tick: (now: number) => void
}

/** The state that the channels of an app share. */
export interface ChannelsState {
  /** The connections that are open or whose handler has not ended. */
  readonly all: Set<AnyConnection>
  readonly countClosed: (channel: string, code: number) => void
  /** Called when the last connection has ended. */
  readonly idle: Set<() => void>
  isDraining: boolean
  /** How many connections are open. */
  open: number
}

/** A channel on the server. */
export interface Channel<Receive, Send> extends Shared<Receive, Send> {
  /** The open connections. */
  readonly members: Set<HandledConnection<Receive, Send>>
  readonly name: string
  readonly state: ChannelsState
}

/** The function that handles a connection. */
export type Run<Receive, Send, R> = (
  connection: Connection<Receive, Send>
) => Effect.Effect<unknown, ChannelClosed, R>

const restarts = "The server restarts"

/** A connection that was accepted. It does not keep the request. */
export class HandledConnection<Receive, Send> extends OpenConnection<Receive, Send> {
  readonly channel: Channel<Receive, Send>
  #fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** The handler until the connection begins. */
  #handler: Effect.Effect<unknown, ChannelClosed, unknown> | undefined
  /** Whether the handler runs, or waits for a message without a fiber. */
  #phase: "ended" | "resting" | "running" = "ended"
  readonly #request: DetachedRequest

  constructor(
    channel: Channel<Receive, Send>,
    request: DetachedRequest,
    subprotocol: string | undefined,
    run: Run<Receive, Send, unknown>
  ) {
    super(channel.now(), subprotocol)
    this.channel = channel
    this.#request = request
    this.#handler = run(this)
  }

  get id(): string {
    return this.#request.requestId
  }

  /** Closes the connection because the server stops. */
  restart(): void {
    this.shut(codes.goingAway, restarts)
  }

  /** Closes the connection at once, and interrupts the handler. */
  override destroy(): void {
    super.destroy()
    if (this.#phase === "resting") this.#run(Effect.interrupt)
    else this.#fiber?.interruptUnsafe()
  }

  /** Ends the connection of a silent client, and a handler that outlives its connection. */
  override tick(now: number): void {
    if (this.closedAt === undefined) super.tick(now)
    else if (now - this.closedAt >= this.channel.limits.closeTimeout) {
      this.#fiber?.interruptUnsafe()
    }
  }

  begin(): void {
    const { members, state } = this.channel
    state.all.add(this)
    members.add(this)
    state.open++
    if (state.isDraining) return this.restart()
    const { reading } = this
    const handler = this.#handler
    this.#handler = undefined
    // A handler that only reads messages has a fiber while there are some.
    if (reading !== undefined && reading.loop === handler && !this.#isSampled) {
      reading.rests = true
      this.#phase = "resting"
      this.changed()
    } else this.#run(handler!)
    if (reading !== undefined) reading.loop = undefined
  }

  changed(): void {
    if (this.#phase === "resting" && (this.hasNext || this.end !== undefined)) {
      this.#run(this.#loop)
    }
  }

  /** Whether the connection has a span that somebody sees. */
  get #isSampled(): boolean {
    return this.#request.parentSpan?.sampled === true
  }

  /** The handler if it is a loop. */
  get #loop(): Effect.Effect<unknown, ChannelClosed, unknown> {
    // It was the result of `Run`, so it has that type.
    return Effect.whileLoop(this.reading!) as Effect.Effect<unknown, ChannelClosed, unknown>
  }

  #run(handler: Effect.Effect<unknown, ChannelClosed, unknown>): void {
    const { context, scope } = this.#request
    const isLoop = this.#phase === "resting"
    this.#phase = "running"
    const whole = isLoop ? Effect.andThen(handler, this.#withChildren) : handler
    const scoped = Effect.onExit(whole, (exit) =>
      // A message may come between the end of the loop and this.
      isLoop && Exit.isSuccess(exit) && (this.end === undefined || this.hasNext)
        ? Effect.sync(() => this.#rest())
        : Effect.onExit(Scope.close(scope, exit), () => Effect.sync(() => this.#handled(exit)))
    )
    const fiber = Effect.runForkWith(context)(
      this.#isSampled ? Effect.withSpan(scoped, `websocket ${this.channel.name}`) : scoped
    )
    if (this.#phase === "running" && fiber.pollUnsafe() === undefined) this.#fiber = fiber
  }

  /** Goes on in the fiber of the handler if that has forked others: without it, they would be interrupted. */
  get #withChildren(): Effect.Effect<unknown, ChannelClosed, unknown> {
    return Effect.withFiber((fiber) => {
      if (this.end !== undefined || !hasChildren(fiber)) return Effect.void
      this.reading!.rests = false
      return this.#loop
    })
  }

  #rest(): void {
    this.#phase = "resting"
    this.#fiber = undefined
    this.changed()
  }

  finish(): void {
    const { traffic } = this
    const { members, name, state } = this.channel
    // A runtime may close a connection that it never opened.
    if (members.delete(this)) state.open--
    state.countClosed(name, this.end!.code)
    this.#log(
      Effect.annotateLogs(Effect.logInfo("WebSocket closed"), {
        bytesReceived: traffic.bytesIn,
        bytesSent: traffic.bytesOut,
        channel: name,
        code: this.end!.code,
        durationMs: this.closedAt! - this.openedAt,
        messagesReceived: traffic.messagesIn,
        messagesSent: traffic.messagesOut,
        ...(this.end!.reason === "" ? {} : { reason: this.end!.reason })
      })
    )
    this.#forget()
  }

  fail(defect: unknown): void {
    const message = `The channel "${this.channel.name}" failed to answer a message that does not fit it`
    this.#log(logFailure(message, Cause.die(defect)))
  }

  #handled(exit: Exit.Exit<unknown, unknown>): void {
    this.#phase = "ended"
    this.#fiber = undefined
    this.#forget()
    if (Exit.isSuccess(exit)) return this.shut(codes.normal, "")
    if (isExpected(exit.cause)) return this.restart()
    this.shut(codes.internal, "Internal error")
    this.#log(logFailure(`The handler of channel "${this.channel.name}" failed`, exit.cause))
  }

  /** Is over once both the connection and its handler have ended. */
  #forget(): void {
    const { all, idle } = this.channel.state
    if (this.closedAt === undefined || this.#phase !== "ended") return
    all.delete(this)
    if (all.size > 0) return
    for (const done of idle) done()
    idle.clear()
  }

  #log(line: Effect.Effect<void>): void {
    Effect.runForkWith(this.#request.context)(line)
  }
}

/** Whether a handler ended because its connection or the app did. */
const isExpected = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.every(
    (reason) =>
      reason._tag === "Interrupt" ||
      (reason._tag === "Fail" && (reason.error as { _tag?: string })._tag === "ChannelClosed")
  )
