/**
 * One connection to Redis. It never reconnects: when it is lost it ends, all its commands fail, and its
 * owner opens another.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { RedisError } from "effect/persistence/Redis"
import * as Redacted from "effect/Redacted"
import type { createClient, ErrorReply } from "redis"
import { afterArrivals } from "../../Plugin/Arrivals.ts"
import { RedisUnavailable } from "../../Plugin/SharedRedis.ts"
import { within } from "./RealTime.ts"
import type { Settings } from "./RedisConfig.ts"
import { describe, type Target } from "./RedisUrl.ts"
import * as Refusal from "./Refusal.ts"

/** What the connections of an app have in common. */
export interface Options {
  /** The module `redis`. */
  readonly client: {
    readonly createClient: typeof createClient
    readonly ErrorReply: typeof ErrorReply
  }
  /** The name of the connections in `CLIENT LIST`. */
  readonly name: string
  readonly settings: Settings
  readonly target: Target
}

/** The reason why a connection could not be opened. */
export interface OpenFailure {
  /** Whether another attempt fails in the same way until someone changes something. */
  readonly isFinal: boolean
  readonly reason: string
}

/** The most commands that wait for replies on one connection. */
const mostWaiting = 100_000

/** How often a connection is asked for a sign of life, in milliseconds. */
const heartbeat = 10_000

/** The codes of a certificate that is refused, and of a server without TLS. */
const tlsCode =
  /^(?:CERT_|DEPTH_ZERO_|EPROTO$|ERR_SSL_|ERR_TLS_|HANDSHAKE_|HOSTNAME_MISMATCH|SELF_SIGNED_|UNABLE_TO_)/

/** Creates a client that connects once: after the connection it has no life of its own. */
const clientOf = ({ client, name, settings, target }: Options) => {
  const password = Redacted.value(target.password)
  return client.createClient({
    RESP: 3,
    // The session limits commands itself.
    commandOptions: { timeout: 0 },
    commandsQueueMaxLength: mostWaiting,
    database: target.database,
    disableOfflineQueue: true,
    maintNotifications: "disabled",
    name,
    ...(password === "" ? {} : { password }),
    ...(target.user === "" ? {} : { username: target.user }),
    socket: {
      connectTimeout: Duration.toMillis(settings.connectTimeout),
      host: target.host,
      port: target.port,
      reconnectStrategy: false,
      ...(target.tls ? { tls: true as const } : {})
    }
  })
}

type Client = ReturnType<typeof clientOf>

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : ""

/** The message of an error, without a full stop. That of a socket after several attempts is empty. */
const textOf = (error: unknown): string =>
  (error instanceof Error ? error.message || codeOf(error) : String(error)).replace(/\.$/, "")

/** An open connection. */
export class Session {
  readonly #client: Client
  /** The reason of the end; undefined before it. */
  #end: string | undefined
  readonly #onEnd = new Set<(reason: string) => void>()
  readonly #options: Options
  #pulse: NodeJS.Timeout | undefined
  /** How many replies have come. */
  #replies = 0
  readonly #timeout: Duration.Duration

  constructor(client: Client, options: Options) {
    this.#client = client
    this.#options = options
    this.#timeout = options.settings.commandTimeout
    client.on("error", (error) => this.end(`the connection was lost (${textOf(error)})`))
    // A connection that is established after its end is closed again.
    client.on("connect", () => {
      if (this.#end !== undefined) client.destroy()
    })
  }

  /** Waits until the connection has ended, and returns the reason. */
  readonly ended: Effect.Effect<string> = Effect.callback((resume) => {
    const done = (reason: string) => resume(Effect.succeed(reason))
    if (this.#end !== undefined) return done(this.#end)
    this.#onEnd.add(done)
    return Effect.sync(() => this.#onEnd.delete(done))
  })

  /** Whether the connection has ended. */
  get hasEnded(): boolean {
    return this.#end !== undefined
  }

  /** Waits for the replies to the commands that were sent, then ends the connection. */
  get close(): Effect.Effect<void> {
    return Effect.tryPromise(() => this.#client.close()).pipe(
      Effect.ignore,
      within(this.#timeout, Effect.void),
      Effect.ensuring(Effect.sync(() => this.end("the connection was closed")))
    )
  }

  /** Ends the connection. Commands without a reply fail with the reason. */
  end(reason: string): void {
    if (this.#end !== undefined) return
    this.#end = reason
    clearInterval(this.#pulse)
    this.#client.destroy()
    for (const done of this.#onEnd) done(reason)
  }

  /** Ends the connection when the server stops replying, also where nothing is asked. */
  keepAlive(): void {
    this.#pulse = setInterval(() => this.#call(["PING"], this.#timeout, () => {}), heartbeat)
    this.#pulse.unref()
  }

  /**
   * Sends a command. With `isBlocking` it may wait for its reply without limit, and silence is no sign
   * of a lost connection.
   */
  send<A>(args: ReadonlyArray<string>, isBlocking: boolean = false): Effect.Effect<A, RedisError> {
    // An interrupted command stays watched: silence of the server is found in any case.
    return Effect.callback((resume) =>
      this.#call<A>(args, isBlocking ? undefined : this.#timeout, resume)
    )
  }

  /** Subscribes to a channel. The promise ends when Redis has confirmed it. */
  subscribe(channel: string, onMessage: (text: string) => void): Promise<void> {
    return this.#client.subscribe(channel, onMessage)
  }

  /** Unsubscribes from a channel. The promise ends when Redis has confirmed it. */
  unsubscribe(channel: string): Promise<void> {
    return this.#client.unsubscribe(channel)
  }

  #call<A>(
    args: ReadonlyArray<string>,
    limit: Duration.Duration | undefined,
    settle: (result: Effect.Effect<A, RedisError>) => void
  ): void {
    const before = this.#replies
    let isPending = true
    const timer =
      limit === undefined
        ? undefined
        : setTimeout(
            () => afterArrivals(() => isPending && this.#late(before, limit, settle)),
            Duration.toMillis(limit)
          )
    const done = (result: Effect.Effect<A, RedisError>) => {
      isPending = false
      clearTimeout(timer)
      settle(result)
    }
    this.#client.sendCommand<A>([...args]).then(
      (reply) => {
        this.#replies++
        done(Effect.succeed(reply))
      },
      (error: unknown) => done(Effect.fail(this.#failure(error)))
    )
  }

  /** A command has no reply within the limit. Without any reply since, the connection is lost. */
  #late<A>(
    before: number,
    limit: Duration.Duration,
    settle: (result: Effect.Effect<A, RedisError>) => void
  ): void {
    const detail = `there was no reply for ${Duration.format(limit)} (redis.commandTimeout)`
    settle(Effect.fail(this.#unavailable("timeout", detail)))
    if (this.#replies === before) this.end(detail)
  }

  #failure(error: unknown): RedisError {
    if (error instanceof this.#options.client.ErrorReply) {
      this.#replies++
      const refusal = Refusal.of(error.message)
      if (refusal === undefined) return new RedisError({ cause: error })
      const detail = `it answered ${textOf(error)}`
      if (refusal.reconnects) this.end(detail)
      return this.#unavailable("refused", detail)
    }
    // Arguments that are not strings.
    if (error instanceof TypeError) return new RedisError({ cause: error })
    // The client itself refuses a command when too many wait.
    return this.#end === undefined
      ? this.#unavailable("refused", textOf(error))
      : this.#unavailable("disconnected", this.#end)
  }

  #unavailable(reason: RedisUnavailable["reason"], detail: string): RedisError {
    return unavailable(this.#options.target, reason, detail)
  }
}

/** Creates the error of a command that Redis did not carry out. */
export const unavailable = (
  target: Target,
  reason: RedisUnavailable["reason"],
  detail: string
): RedisError =>
  new RedisError({ cause: new RedisUnavailable({ detail, reason, target: describe(target) }) })

const isFinal = (error: unknown, { client }: Options): boolean =>
  error instanceof client.ErrorReply ? !Refusal.passes(error.message) : tlsCode.test(codeOf(error))

/** Opens a connection that answers, within `redis.connectTimeout`. The reason of a failure has no password. */
export const open = (options: Options): Effect.Effect<Session, OpenFailure> =>
  Effect.suspend(() => {
    // A server that does not know `HELLO` answers with the arguments.
    const password = Redacted.value(options.target.password)
    const hidden = (text: string) =>
      password === "" ? text : text.replaceAll(password, "<redacted>")
    const limit = options.settings.connectTimeout
    const client = clientOf(options)
    const session = new Session(client, options)
    const answered = Effect.tryPromise({
      catch: (error): OpenFailure => ({
        isFinal: isFinal(error, options),
        reason: hidden(textOf(error))
      }),
      try: async () => {
        await client.connect()
        await client.sendCommand(["PING"])
      }
    })
    const late = (): OpenFailure => ({
      isFinal: false,
      reason: `it did not answer for ${Duration.format(limit)} (redis.connectTimeout)`
    })
    return answered.pipe(
      within(
        limit,
        Effect.suspend(() => Effect.fail(late()))
      ),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          if (exit._tag === "Success") session.keepAlive()
          else session.end("the connection was not opened")
        })
      ),
      Effect.as(session)
    )
  })
