/** Chains: backends that are asked in turn. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Identity } from "../../Contract/Authentication.ts"
import type { Incoming } from "../../Server/Exchange/Before.ts"
import { quoted } from "../../Server/Exchange/Text.ts"
import * as Backend from "./Backend/Backend.ts"
import type { ChallengeError, Scheme } from "./Backend/Scheme.ts"
import * as Source from "./Backend/Source.ts"
import type { BackendUnavailable, CredentialsRejected } from "./Failure.ts"

/** How a chain treats a caller without credentials. */
export type Mode = "anonymous" | "reject"

/** Backends in the order in which they are asked. Made with `Auth.chain`. */
export interface Chain<out E = never, out R = never, out M extends Mode = Mode> {
  readonly "~Error": E
  readonly "~Requires": R
  readonly acceptsCrossSite: boolean
  readonly backends: ReadonlyArray<Backend.Any>
  readonly mode: M
  readonly realm: string
}

/** Any chain. */
export type Any = Chain<unknown, unknown>

/**
 * Backends, asked in turn; the first identity wins. Wrong credentials end the
 * chain: a caller whose token has expired is not let in by another backend.
 *
 * `unauthenticated` is how the chain treats a caller without credentials:
 *
 * - `reject` (default): 401. The chain serves protected routes.
 * - `anonymous`: passes on optional routes (`Route.optional`), where handlers
 *   read `OptionalIdentity`. Protected routes still answer 401.
 *
 * `realm` is named in `WWW-Authenticate`; default `api`.
 *
 * `acceptsCrossSite` (default `false`) accepts requests that pages of other origins start with
 * credentials that the browser adds by itself: cookies, Basic, and backends without a `scheme`.
 * Without it, such a request is refused with 403 `CROSS_SITE_REQUEST`, unless its method is `GET`,
 * `HEAD` or `OPTIONS` and it does not upgrade the connection. Set it only if no such request can do
 * harm.
 *
 * @example
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import * as Auth from "flange/Auth"
 *
 * const chain = Auth.chain([
 *   Auth.bearer([{ identity: { subject: "deploy" }, token: Redacted.make("a-long-random-token") }])
 * ])
 * chain.mode // => "reject"
 * ```
 */
export const chain = <
  const Backends extends ReadonlyArray<Backend.Any>,
  const M extends Mode = "reject"
>(
  backends: Backends,
  options: {
    /** Whether pages of other origins may start requests with ambient credentials. Default: false. */
    readonly acceptsCrossSite?: boolean | undefined
    /** The realm in `WWW-Authenticate`. Default: `api`. */
    readonly realm?: string | undefined
    /** What happens to a caller without credentials: `reject` (default) or `anonymous`. */
    readonly unauthenticated?: M
  } = {}
): Chain<
  Backend.Error<Backends[number]>,
  Exclude<Backend.Requires<Backends[number]>, Scope.Scope>,
  NoInfer<M>
> => {
  const names = backends.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) {
    throw new Error(
      `Two backends of one chain are named "${twice}": the log and OpenAPI could not tell them apart. Give one of them another \`name\`.`
    )
  }
  return {
    acceptsCrossSite: options.acceptsCrossSite ?? false,
    backends,
    mode: (options.unauthenticated ?? "reject") as M, // the default of M
    realm: options.realm ?? "api"
  } as never // the phantom members exist in types only
}

/** The verdict of a chain on a request. */
export type Verdict =
  | { readonly _tag: "Anonymous" }
  | { readonly _tag: "Authenticated"; readonly identity: Identity }
  | { readonly _tag: "Failed"; readonly backend: string; readonly cause: Cause.Cause<unknown> }
  | {
      readonly _tag: "Refused"
      readonly backend: string
      /** Whether the credentials do not count as a guess. */
      readonly isGenuine: boolean
      readonly reason: string
    }

/**
 * Whether the chain refuses requests that pages of other origins start: it has a backend whose
 * credentials browsers add by themselves.
 */
export const refusesCrossSite = ({ acceptsCrossSite, backends }: Any): boolean =>
  !acceptsCrossSite && backends.some(Backend.isAmbient)

/** A chain whose backends are made. */
export interface Made {
  /** Checks whether the request has credentials, right or wrong, where a backend looks. */
  readonly carries: (request: Incoming) => boolean
  /** The value of `WWW-Authenticate`; names the backend whose credentials were wrong. */
  readonly challenge: (refused?: string) => string
  readonly decide: (request: Incoming) => Effect.Effect<Verdict>
  /** Checks whether browsers add the credentials that this backend found by themselves. */
  readonly isAmbient: (backend: string) => boolean
  /**
   * Checks whether a page of another origin may have started the request with the credentials that
   * this backend found: the browser adds them by itself, and the request has no credentials that a
   * page has to ask for.
   */
  readonly isForgeable: (request: Incoming, backend: string) => boolean
  readonly name: string
}

const anonymous: Effect.Effect<Verdict> = Effect.succeed({ _tag: "Anonymous" })

/** Makes the backends of the chain with this name. */
export const make = (
  name: string,
  { acceptsCrossSite, backends, realm }: Any
): Effect.Effect<Made, unknown, unknown> =>
  Effect.map(
    Effect.forEach(backends, (backend) =>
      Effect.map(
        // The type of the list does not keep the errors and requirements of its backends.
        (backend as Backend.Backend<unknown, unknown>).make,
        (authenticate) => ({ ...backend, authenticate, onFailure: refusing(backend.name) })
      )
    ),
    (made): Made => {
      const decide = (request: Incoming, from: number): Effect.Effect<Verdict> => {
        const asked = made[from]
        if (asked === undefined) return anonymous
        return Effect.matchCauseEffectEager(ask(asked.authenticate, request), {
          onFailure: asked.onFailure,
          onSuccess: (outcome): Effect.Effect<Verdict> => {
            if (Backend.isIdentity(outcome)) {
              return Effect.succeed({ _tag: "Authenticated", identity: outcome })
            }
            if (outcome._tag === "Declined" && !looksToo(made, from)) {
              return Effect.succeed({
                _tag: "Refused",
                backend: asked.name,
                isGenuine: false,
                reason: outcome.reason
              })
            }
            return decide(request, from + 1)
          }
        })
      }
      const challenge = challengeOf(backends, realm, undefined)
      const ambient = new Set(backends.filter(Backend.isAmbient).map(({ name }) => name))
      // A page cannot add a header without asking, but it can add anything to a query.
      const asked = backends.flatMap(({ source }) =>
        source?.in === "header" && !Source.isAmbient(source) ? [source] : []
      )
      return {
        carries: (request) =>
          backends.some(
            ({ source }) => source !== undefined && Source.read(source, request)._tag !== "None"
          ),
        challenge: (refused) =>
          refused === undefined ? challenge : challengeOf(backends, realm, refused),
        decide: (request) => decide(request, 0),
        isAmbient: (backend) => ambient.has(backend),
        isForgeable: (request, backend) =>
          !acceptsCrossSite &&
          ambient.has(backend) &&
          asked.every((source) => Source.read(source, request)._tag === "None"),
        name
      }
    }
  )

const ask = (authenticate: Backend.Authenticate, request: Incoming) => {
  try {
    return authenticate(request)
  } catch (defect) {
    return Effect.die(defect)
  }
}

/** Whether a backend after this one looks in the same place. */
const looksToo = (backends: ReadonlyArray<Backend.Any>, i: number): boolean => {
  const { source } = backends[i]!
  return (
    source !== undefined &&
    backends.some((other, k) => k > i && other.source && Source.same(other.source, source))
  )
}

/** Turns a cause into a verdict. A plain interruption is passed on. */
const refusing = (backend: string) => {
  const verdict = verdictOf(backend)
  return (cause: Cause.Cause<BackendUnavailable | CredentialsRejected>): Effect.Effect<Verdict> =>
    Cause.hasInterruptsOnly(cause)
      ? Effect.failCause(cause as Cause.Cause<never>)
      : Effect.succeed(verdict(cause))
}

const verdictOf =
  (backend: string) =>
  (cause: Cause.Cause<BackendUnavailable | CredentialsRejected>): Verdict => {
    for (const reason of cause.reasons) {
      if (reason._tag === "Fail" && reason.error._tag === "CredentialsRejected") {
        const { isGenuine = false } = reason.error
        return { _tag: "Refused", backend, isGenuine, reason: reason.error.reason }
      }
    }
    return { _tag: "Failed", backend, cause }
  }

/** A challenge for each scheme of the chain, each once. Source: RFC 9110, section 11.6.1. */
const challengeOf = (
  backends: ReadonlyArray<Backend.Any>,
  realm: string,
  refused: string | undefined
): string => {
  const errorOf = (scheme: Scheme): ChallengeError | undefined =>
    backends.some(
      (backend) => backend.name === refused && sameScheme(backend.scheme, scheme, realm)
    )
      ? "invalid_token"
      : undefined
  const challenges = backends.flatMap(({ scheme }) =>
    scheme === undefined ? [] : [scheme.challenge(realm, errorOf(scheme))]
  )
  // A 401 must have a challenge, also if no backend has a scheme.
  return challenges.length === 0
    ? `Custom realm=${quoted(realm)}`
    : [...new Set(challenges)].join(", ")
}

const sameScheme = (a: Scheme | undefined, b: Scheme, realm: string) =>
  a !== undefined && a.challenge(realm) === b.challenge(realm)
