/**
 * A key set at a URL. It is fetched when it is needed, kept, and never fetched for
 * each request, whatever tokens clients send.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as MonotonicClock from "../../../Plugin/MonotonicClock.ts"
import { AuthSettingsError, BackendUnavailable } from "../Failure.ts"
import { fetchJson } from "./JwksFetch.ts"
import * as KeySet from "./KeySet.ts"
import type * as VerificationKey from "./VerificationKey.ts"

/** How a key set is fetched and kept. */
export interface JwksOptions {
  /** The algorithms that are accepted; each key takes those of its own type. Default: all with a public key. */
  readonly algorithms?: ReadonlyArray<string> | undefined
  /** How long after a fetch an unknown `kid` does not cause another one. Default 30 seconds. */
  readonly cooldown?: Duration.Input | undefined
  /** How long the set is used without asking again. Default 10 minutes. */
  readonly maxAge?: Duration.Input | undefined
  /** The longest set in bytes. Default 128 KiB. */
  readonly maxBytes?: number | undefined
  /** How long the set is used past `maxAge` while it cannot be fetched. Default 24 hours. */
  readonly maxStale?: Duration.Input | undefined
  /** How long after a failed fetch the next one is tried. Default 5 seconds. */
  readonly retryDelay?: Duration.Input | undefined
  /** How long a fetch may take. Default 5 seconds. */
  readonly timeout?: Duration.Input | undefined
}

/** Algorithms with a public key: a set never holds secrets. */
const asymmetric: ReadonlySet<string> = new Set([
  "ES256",
  "ES384",
  "ES512",
  "Ed25519",
  "EdDSA",
  "PS256",
  "PS384",
  "PS512",
  "RS256",
  "RS384",
  "RS512"
])

/** A set, and when it was fetched. */
interface Fetched {
  readonly at: number
  /** Keys that earlier look-ups found, by header: as many as the set has keys, for each algorithm. */
  readonly found: Map<string, Effect.Effect<ReadonlyArray<VerificationKey.VerificationKey>>>
  readonly set: KeySet.KeySet
}

/** How many problems one log line lists, and how many listed problems are remembered. */
const maxNamed = 16
const maxRemembered = 1000

/** Opens a key set. Fails if the URL is not `https:`, except for this machine itself. */
export const make = (
  backend: string,
  url: string,
  options: JwksOptions
): Effect.Effect<VerificationKey.FindKeys, AuthSettingsError, Scope.Scope> =>
  Effect.gen(function* () {
    const target = yield* checked(backend, url)
    const millis = (input: Duration.Input | undefined, otherwise: Duration.Input) =>
      Duration.toMillis(Duration.fromInputUnsafe(input ?? otherwise))
    const cooldown = millis(options.cooldown, "30 seconds")
    const maxAge = millis(options.maxAge, "10 minutes")
    const maxStale = millis(options.maxStale, "24 hours")
    const retryDelay = millis(options.retryDelay, "5 seconds")
    const fetch = fetchJson(target, {
      maxBytes: options.maxBytes ?? 128 * 1024,
      timeout: Duration.fromInputUnsafe(options.timeout ?? "5 seconds")
    })
    const algorithms = new Set(
      [...(options.algorithms ?? asymmetric)].filter((algorithm) => asymmetric.has(algorithm))
    )
    const scope = yield* Effect.scope

    let current: Fetched | undefined
    let failure: { readonly at: number; readonly error: BackendUnavailable } | undefined
    let pending: Deferred.Deferred<void> | undefined

    const named = new Set<string>()
    /** Logs each problem of a key once, although the set is fetched again and again. */
    const name = (problems: ReadonlyArray<string>) => {
      const fresh = problems.filter((problem) => !named.has(problem))
      if (fresh.length === 0) return Effect.void
      if (named.size > maxRemembered) named.clear()
      for (const problem of fresh.slice(0, maxRemembered)) named.add(problem)
      const rest = fresh.length > maxNamed ? `, and ${fresh.length - maxNamed} more` : ""
      return Effect.logWarning(
        `Key set of backend "${backend}": ${fresh.slice(0, maxNamed).join("; ")}${rest}`
      )
    }

    const refresh = Effect.gen(function* () {
      const exit = yield* Effect.exit(
        Effect.flatMap(fetch, (json) =>
          Effect.suspend(() => {
            const set = KeySet.read(json)
            return set === undefined
              ? Effect.fail(
                  new BackendUnavailable({ reason: `The key set at ${url} is malformed` })
                )
              : Effect.succeed(set)
          })
        )
      )
      const at = MonotonicClock.millisOf(yield* Clock.Clock)
      if (Exit.isSuccess(exit)) {
        current = { at, found: new Map(), set: exit.value }
        failure = undefined
        return yield* name(exit.value.problems)
      }
      const found = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
      const error = found ?? new BackendUnavailable({ reason: `${url} could not be fetched` })
      failure = { at, error }
      yield* Effect.logWarning(`Key set of backend "${backend}": ${error.reason}`, exit.cause)
    })

    /** One fetch at a time; it goes on when the request that began it goes away. */
    const shared = Effect.suspend(() => {
      if (pending !== undefined) return Deferred.await(pending)
      const done = (pending = Deferred.makeUnsafe<void>())
      return refresh.pipe(
        Effect.ensuring(
          Effect.suspend(() => {
            pending = undefined
            return Deferred.succeed(done, undefined)
          })
        ),
        Effect.forkIn(scope),
        Effect.andThen(Deferred.await(done))
      )
    })

    const mayTry = (now: number) => failure === undefined || now - failure.at >= retryDelay

    const isFresh = (set: Fetched | undefined, now: number): set is Fetched =>
      set !== undefined && now - set.at < maxAge

    const refreshed = (now: number) =>
      Effect.gen(function* () {
        if (pending !== undefined || mayTry(now)) yield* shared
        if (current !== undefined && now - current.at < maxAge + maxStale) return current
        return yield* failure?.error ?? new BackendUnavailable({ reason: `${url} was not fetched` })
      })

    const look = (fetched: Fetched, header: VerificationKey.Header) => {
      const keys = fetched.set.candidates(header)
      if (keys.length > 0) fetched.found.set(nameOf(header), Effect.succeed(keys))
      return keys
    }

    const search = (set: Fetched, header: VerificationKey.Header) =>
      Effect.gen(function* () {
        const found = look(set, header)
        if (found.length > 0) return found
        // A key that is not in the set may be a new one, so the set may be old.
        const now = MonotonicClock.millisOf(yield* Clock.Clock)
        const rested = now - set.at >= cooldown && mayTry(now)
        if (pending === undefined && current === set && !rested) return []
        if (current === set) yield* shared
        return current === undefined || current === set ? [] : look(current, header)
      })

    const findIn = (set: Fetched, header: VerificationKey.Header) =>
      set.found.get(nameOf(header)) ?? search(set, header)

    return (header: VerificationKey.Header) =>
      algorithms.has(header.alg)
        ? Effect.withFiber((fiber) => {
            const now = MonotonicClock.millisOf(fiber.getRef(Clock.Clock))
            return isFresh(current, now)
              ? findIn(current, header)
              : Effect.flatMap(refreshed(now), (set) => findIn(set, header))
          })
        : none
  })

const none = Effect.succeed<ReadonlyArray<VerificationKey.VerificationKey>>([])

/** No algorithm has a space. */
const nameOf = ({ alg, kid }: VerificationKey.Header) => (kid === undefined ? alg : `${alg} ${kid}`)

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

const checked = (backend: string, url: string): Effect.Effect<URL, AuthSettingsError> => {
  const problem = (problem: string) => Effect.fail(new AuthSettingsError({ backend, problem }))
  if (!URL.canParse(url)) {
    return problem(`"${url}" is no URL. Write the whole address of the key set, with https://.`)
  }
  const target = new URL(url)
  if (target.protocol === "https:") return Effect.succeed(target)
  return target.protocol === "http:" && loopback.test(target.hostname)
    ? Effect.succeed(target)
    : problem(
        `the key set at "${url}" would be fetched without TLS, and whoever can change it on the way can make tokens. Use https:// (http:// is for this machine itself only).`
      )
}
