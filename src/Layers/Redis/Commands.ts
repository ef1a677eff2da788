/** The metric and the span of each command. */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { RedisError } from "effect/persistence/Redis"
import type * as Tracer from "effect/Tracer"
import * as Metering from "../../Plugin/Metering.ts"
import { RedisUnavailable } from "../../Plugin/SharedRedis.ts"
import type { Target } from "./RedisUrl.ts"
import * as Refusal from "./Refusal.ts"

/** The error of a command. */
interface Failure {
  /** The code of the reply, such as `WRONGTYPE`, if the server has replied. */
  readonly code: string | undefined
  readonly type: string
}

const replied = (message: string): Failure => {
  const code = Refusal.codeOf(message)
  return { code, type: code }
}

const failureOf = (cause: Cause.Cause<RedisError>): Failure => {
  const [reason] = cause.reasons
  if (reason?._tag === "Interrupt") return { code: undefined, type: "interrupted" }
  if (reason?._tag !== "Fail") return { code: undefined, type: "defect" }
  const { cause: inner } = reason.error
  if (!(inner instanceof RedisUnavailable)) {
    return replied(inner instanceof Error ? inner.message : "")
  }
  const [, answer] = /^it answered (.*)/.exec(inner.detail) ?? []
  return answer === undefined ? { code: undefined, type: inner.reason } : replied(answer)
}

/** Runs a command with its span, and measures it. */
export type Observe = <A>(
  command: string,
  run: Effect.Effect<A, RedisError>
) => Effect.Effect<A, RedisError>

const isSampled = ({ cache }: Fiber.Fiber<unknown, unknown>): boolean =>
  cache.span?.sampled === true && cache.tracer !== undefined && cache.tracerEnabled

/** Returns the function that records the duration of a command, in seconds, with its error. */
const durations = (context: Context.Context<never>) => {
  const duration = Metering.duration(
    context,
    "db.client.operation.duration",
    "Duration of database client operations"
  )
  const series = new Map<string, (value: number) => void>()
  return (command: string, error: string | undefined, value: number): void => {
    const key = `${command} ${error}`
    let record = series.get(key)
    if (record === undefined) {
      record = duration({
        "db.operation.name": command,
        "db.system.name": "redis",
        ...(error === undefined ? {} : { "error.type": error })
      })
      series.set(key, record)
    }
    record(value)
  }
}

/**
 * Creates the observer of the commands of a server. A command has a span if the span around it is
 * sampled. Neither spans nor metrics have the arguments.
 *
 * Source: OpenTelemetry semantic conventions for Redis.
 */
export const observer = ({ database, host, port }: Target): Effect.Effect<Observe> =>
  Effect.map(Effect.context<never>(), (context) => {
    const record = durations(context)
    const attributes = {
      "db.namespace": String(database),
      "db.system.name": "redis",
      "server.address": host,
      "server.port": port
    }
    return (given, run) => {
      const command = given.toUpperCase()
      const measured = (span: Tracer.Span | undefined) =>
        Effect.suspend(() => {
          const began = performance.now()
          return Effect.onExitPrimitive(run, (exit) => {
            const failure = exit._tag === "Success" ? undefined : failureOf(exit.cause)
            record(command, failure?.type, (performance.now() - began) / 1000)
            if (failure !== undefined) span?.attribute("error.type", failure.type)
            if (failure?.code !== undefined) {
              span?.attribute("db.response.status_code", failure.code)
            }
            return undefined
          })
        })
      return Effect.withFiber((fiber) =>
        isSampled(fiber)
          ? Effect.useSpan(
              command,
              { attributes: { ...attributes, "db.operation.name": command }, kind: "client" },
              measured
            )
          : measured(undefined)
      )
    }
  })
