/** Keeps the secrets of a provider in memory for a time, and reads them again after it. */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as MonotonicClock from "../../Plugin/MonotonicClock.ts"
import type { SecretNotFound } from "../../Plugin/Secrets.ts"
import { type SecretError, SecretUnavailable } from "../../Plugin/Secrets.ts"
import type { Provider } from "./Provider.ts"

/** What the providers were asked, for the metrics. */
export interface Counts {
  failures: number
  reads: number
}

/** How long values are kept. */
export interface Options {
  readonly counts: Counts
  /** How long a value is used after its `ttl` if the provider cannot be asked. */
  readonly maxStale: Duration.Duration
  /** How long one read may take. */
  readonly timeout: Duration.Duration
  /** How long a value is used before it is read again. */
  readonly ttl: Duration.Duration
}

/** How many secrets are kept. The ones that were not used for the longest time are dropped. */
export const capacity = 256

/** How long the provider is not asked again after a failure, or after it lacked a secret. */
export const retryDelay = 1000

interface Entry {
  failure: { readonly at: number; readonly error: SecretUnavailable } | undefined
  known:
    | { readonly at: number; readonly result: Result.Result<Redacted.Redacted, SecretNotFound> }
    | undefined
  pending: Deferred.Deferred<void> | undefined
}

/** Whether two reads of a provider found the same. */
const isSame = (known: Entry["known"], value: Redacted.Redacted): known is Entry["known"] & {} =>
  known !== undefined &&
  Result.isSuccess(known.result) &&
  Redacted.value(known.result.success) === Redacted.value(value)

/**
 * Creates a provider over the function that reads a secret. At the same time a secret is read once,
 * whoever waits for it, and the read goes on if its first caller is interrupted.
 */
export const make = (
  read: (name: string) => Effect.Effect<Redacted.Redacted, SecretError>,
  where: string,
  { counts, maxStale, timeout, ttl }: Options
): Effect.Effect<Provider, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const entries = new Map<string, Entry>()
    const [fresh, stale] = [Duration.toMillis(ttl), Duration.toMillis(maxStale)]

    const entryOf = (name: string): Entry => {
      const entry: Entry = entries.get(name) ?? {
        failure: undefined,
        known: undefined,
        pending: undefined
      }
      // A map has its keys in the order in which they were added.
      entries.delete(name)
      entries.set(name, entry)
      if (entries.size > capacity) entries.delete(entries.keys().next().value!)
      return entry
    }

    const isFresh = (entry: Entry, now: number): boolean => {
      if (entry.known === undefined) return false
      const { at, result } = entry.known
      return now - at < (Result.isSuccess(result) ? fresh : Math.min(fresh, retryDelay))
    }

    const readOnce = (name: string) =>
      Effect.timeoutOrElse(read(name), {
        duration: timeout,
        orElse: () => {
          const reason = `there was no answer within ${Duration.format(timeout)}`
          return Effect.fail(new SecretUnavailable({ name, reason, where }))
        }
      })

    const refresh = Effect.fnUntraced(function* (name: string, entry: Entry) {
      counts.reads++
      const exit = yield* Effect.exit(Effect.result(readOnce(name)))
      const at = yield* MonotonicClock.millis
      const result = Exit.isSuccess(exit)
        ? exit.value
        : Result.fail(new SecretUnavailable({ name, reason: "the read failed", where }))
      if (Result.isFailure(result) && result.failure instanceof SecretUnavailable) {
        counts.failures++
        if (entry.failure === undefined) yield* Effect.logWarning(result.failure.message)
        entry.failure = { at, error: result.failure }
        return
      }
      entry.failure = undefined
      const same = Result.isSuccess(result) && isSame(entry.known, result.success)
      entry.known = {
        at,
        result: same ? entry.known!.result : (result as Result.Result<Redacted.Redacted, never>)
      }
    })

    const shared = (name: string, entry: Entry) =>
      Effect.suspend(() => {
        if (entry.pending !== undefined) return Deferred.await(entry.pending)
        const done = (entry.pending = Deferred.makeUnsafe<void>())
        return refresh(name, entry).pipe(
          Effect.ensuring(
            Effect.suspend(() => {
              entry.pending = undefined
              return Deferred.succeed(done, undefined)
            })
          ),
          Effect.forkIn(scope),
          Effect.andThen(Deferred.await(done))
        )
      })

    /** Returns what is known although it is not fresh: the provider could not be asked. */
    const fallback = (name: string, { failure, known }: Entry, now: number) => {
      if (known !== undefined && Result.isSuccess(known.result) && now - known.at < fresh + stale) {
        return Effect.succeed(known.result.success)
      }
      const reason = "the app is stopping"
      return Effect.fail(failure?.error ?? new SecretUnavailable({ name, reason, where }))
    }

    const outcome = (name: string, entry: Entry) =>
      Effect.flatMap(MonotonicClock.millis, (now): Effect.Effect<Redacted.Redacted, SecretError> =>
        entry.failure === undefined && entry.known !== undefined
          ? Effect.fromResult(entry.known.result)
          : fallback(name, entry, now)
      )

    return {
      read: (name) =>
        Effect.flatMap(
          MonotonicClock.millis,
          (now): Effect.Effect<Redacted.Redacted, SecretError> => {
            const entry = entryOf(name)
            if (entry.known !== undefined && isFresh(entry, now)) {
              return Effect.fromResult(entry.known.result)
            }
            return entry.failure !== undefined && now - entry.failure.at < retryDelay
              ? fallback(name, entry, now)
              : Effect.andThen(shared(name, entry), outcome(name, entry))
          }
        ),
      stale: () =>
        [...entries].flatMap(([name, { failure, known }]) =>
          failure !== undefined && known !== undefined && Result.isSuccess(known.result)
            ? [name]
            : []
        )
    }
  })
