/**
 * A key set by URL: fetched when it is needed, kept, and never fetched once for
 * each request, whatever the requests are.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { AuthSettingsError, BackendUnavailable } from "../Failure.ts"
import { type Jose, loadJose } from "./Jose.ts"
import { fetchJson } from "./JwksFetch.ts"
import * as VerificationKey from "./VerificationKey.ts"

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
  /** How long after a failed fetch the next is tried. Default 5 seconds. */
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

/** More keys than that are not tried for a token without a `kid`. */
const maxCandidates = 8

/** A key set as jose reads it: the keys that fit a header. */
type Candidates = (
  header: VerificationKey.Header
) => Promise<ReadonlyArray<VerificationKey.VerificationKey>>

interface KeySet {
  readonly candidates: Candidates
  readonly fetchedAt: number
  /** Keys that were found before, as the value of a fetch: as many as the set has, for each algorithm. */
  readonly found: Map<string, Effect.Effect<ReadonlyArray<VerificationKey.VerificationKey>>>
}

/** Opens a key set. Fails where the URL is not `https:`, but for this machine itself. */
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
    const jose = yield* loadJose(backend)

    let current: KeySet | undefined
    let failure: { readonly at: number; readonly error: BackendUnavailable } | undefined
    let pending: Deferred.Deferred<void> | undefined

    const refresh = Effect.gen(function* () {
      const exit = yield* Effect.exit(
        Effect.flatMap(fetch, (json) =>
          Effect.try({
            catch: (cause) =>
              new BackendUnavailable({ cause, reason: `The key set at ${url} is malformed` }),
            try: () => candidatesIn(jose, json)
          })
        )
      )
      const at = yield* Clock.currentTimeMillis
      if (Exit.isSuccess(exit)) {
        current = { candidates: exit.value, fetchedAt: at, found: new Map() }
        failure = undefined
        return
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

    const isFresh = (set: KeySet | undefined, now: number): set is KeySet =>
      set !== undefined && now - set.fetchedAt < maxAge

    const refreshed = (now: number) =>
      Effect.gen(function* () {
        if (pending !== undefined || mayTry(now)) yield* shared
        if (current !== undefined && now - current.fetchedAt < maxAge + maxStale) return current
        return yield* failure?.error ?? new BackendUnavailable({ reason: `${url} was not fetched` })
      })

    const look = (set: KeySet, header: VerificationKey.Header) =>
      Effect.tap(
        Effect.tryPromise({
          catch: (cause) =>
            new BackendUnavailable({ cause, reason: `A key of ${url} cannot be used` }),
          try: () => set.candidates(header)
        }),
        (keys) =>
          Effect.sync(() => {
            if (keys.length > 0) set.found.set(nameOf(header), Effect.succeed(keys))
          })
      )

    const search = (set: KeySet, header: VerificationKey.Header) =>
      Effect.gen(function* () {
        const found = yield* look(set, header)
        if (found.length > 0) return found
        // A key that is not in the set may be a new one, so the set may be old.
        const now = yield* Clock.currentTimeMillis
        const rested = now - set.fetchedAt >= cooldown && mayTry(now)
        if (pending === undefined && current === set && !rested) return []
        if (current === set) yield* shared
        return current === undefined || current === set ? [] : yield* look(current, header)
      })

    const findIn = (set: KeySet, header: VerificationKey.Header) =>
      set.found.get(nameOf(header)) ?? search(set, header)

    return (header: VerificationKey.Header) =>
      algorithms.has(header.alg)
        ? Effect.withFiber((fiber) => {
            const now = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
            return isFresh(current, now)
              ? findIn(current, header)
              : Effect.flatMap(refreshed(now), (set) => findIn(set, header))
          })
        : none
  })

const none = Effect.succeed<ReadonlyArray<VerificationKey.VerificationKey>>([])

/** No algorithm has a space. */
const nameOf = ({ alg, kid }: VerificationKey.Header) => (kid === undefined ? alg : `${alg} ${kid}`)

const candidatesIn = (jose: Jose, json: unknown): Candidates => {
  // jose checks the shape, and refuses secrets and private keys in a set.
  const find = jose.createLocalJWKSet(json as Parameters<Jose["createLocalJWKSet"]>[0])
  return async ({ alg, kid }) => {
    try {
      const key = await find({ alg, ...(kid === undefined ? {} : { kid }) })
      return [VerificationKey.make([alg], key)]
    } catch (error) {
      if (error instanceof jose.errors.JWKSMultipleMatchingKeys) {
        const keys: Array<VerificationKey.VerificationKey> = []
        for await (const key of error) {
          keys.push(VerificationKey.make([alg], key))
          if (keys.length === maxCandidates) break
        }
        return keys
      }
      if (error instanceof jose.errors.JOSEError) return []
      throw error
    }
  }
}

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
