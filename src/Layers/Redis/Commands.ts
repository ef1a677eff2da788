/** The metric and the span of each command, and the commands that a shared connection cannot take. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import { RedisError } from "effect/persistence/Redis"
import { RedisUnavailable } from "../../Plugin/SharedRedis.ts"
import type { Target } from "./RedisUrl.ts"
import * as Refusal from "./Refusal.ts"

/** The boundaries of the conventions, in seconds. */
const boundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** Returns what metrics call an error. */
const errorType = (cause: Cause.Cause<RedisError>): string => {
  const [reason] = cause.reasons
  if (reason?._tag !== "Fail") return reason?._tag === "Interrupt" ? "interrupted" : "defect"
  const inner = reason.error.cause
  if (inner instanceof RedisUnavailable) {
    return inner.reason === "refused"
      ? Refusal.codeOf(inner.detail.replace("it answered ", ""))
      : inner.reason
  }
  return Refusal.codeOf(inner instanceof Error ? inner.message : "")
}

/** Runs a command with its span, and measures it. */
export type Observe = (
  command: string,
  run: Effect.Effect<any, RedisError>
) => Effect.Effect<any, RedisError>

const isTraced = ({ cache }: Fiber.Fiber<unknown, unknown>): boolean =>
  cache.tracerEnabled && cache.tracer !== undefined && cache.span?.sampled === true

/**
 * Creates the observer of the commands of a server. A command has a span if the span around it is
 * sampled. Neither spans nor metrics have the arguments.
 *
 * Source: OpenTelemetry semantic conventions for Redis.
 */
export const observer = ({ database, host, port }: Target): Observe => {
  const series = new Map<string, Metric.Histogram<number>>()
  const durationOf = (command: string, error: string | undefined) => {
    const key = `${command} ${error ?? ""}`
    let duration = series.get(key)
    if (duration === undefined) {
      duration = Metric.histogram("db.client.operation.duration", {
        attributes: {
          "db.operation.name": command,
          "db.system.name": "redis",
          ...(error === undefined ? {} : { "error.type": error }),
          unit: "s"
        },
        boundaries,
        description: "Duration of database client operations"
      })
      series.set(key, duration)
    }
    return duration
  }
  return (given, run) =>
    Effect.withFiber((fiber) => {
      const command = given.toUpperCase()
      const began = performance.now()
      const measured = Effect.onExitPrimitive(run, (exit: Exit.Exit<unknown, RedisError>) => {
        const error = exit._tag === "Success" ? undefined : errorType(exit.cause)
        const duration = durationOf(command, error)
        duration.updateUnsafe((performance.now() - began) / 1000, fiber.context)
        return undefined
      })
      if (!isTraced(fiber)) return measured
      return Effect.useSpan(
        command,
        {
          attributes: {
            "db.namespace": String(database),
            "db.operation.name": command,
            "db.system.name": "redis",
            "server.address": host,
            "server.port": port
          },
          kind: "client"
        },
        () => measured
      )
    })
}

/** The commands that hold up, or change, the connection that they are sent on. */
const own: ReadonlySet<string> = new Set([
  "ASKING",
  "AUTH",
  "BLMOVE",
  "BLMPOP",
  "BLPOP",
  "BRPOP",
  "BRPOPLPUSH",
  "BZMPOP",
  "BZPOPMAX",
  "BZPOPMIN",
  "DISCARD",
  "EXEC",
  "HELLO",
  "MONITOR",
  "MULTI",
  "PSUBSCRIBE",
  "PSYNC",
  "QUIT",
  "READONLY",
  "RESET",
  "SELECT",
  "SSUBSCRIBE",
  "SUBSCRIBE",
  "SYNC",
  "UNWATCH",
  "WAIT",
  "WAITAOF",
  "WATCH"
])

/** Returns the error of a command that the shared connection cannot take, if it is one. */
export const refuse = (args: ReadonlyArray<string>): RedisError | undefined => {
  const command = args[0]!.toUpperCase()
  const isBlocking =
    /^XREAD(?:GROUP)?$/.test(command) && args.some((arg) => arg.toUpperCase() === "BLOCK")
  if (!isBlocking && !own.has(command)) return undefined
  const remedy = command.endsWith("SUBSCRIBE")
    ? "use SharedRedis.subscribe"
    : "send it on a connection of Redis.reserve"
  const message = `${command} would hold up or change the connection that all callers share: ${remedy}.`
  return new RedisError({ cause: new Error(message) })
}
