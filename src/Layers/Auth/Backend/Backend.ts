/** Backends: each knows one kind of credentials. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as Scope from "effect/Scope"
import type { Identity } from "../../../Contract/Authentication.ts"
import type { Incoming } from "../../../Server/Exchange/Before.ts"
import { type BackendUnavailable, CredentialsRejected } from "../Failure.ts"
import { type Scheme, sourceOf } from "./Scheme.ts"
import * as Source from "./Source.ts"

/** The request has no credentials of the backend's kind. The chain asks the next backend. */
export interface Skip {
  readonly _tag: "Skip"
}

/** The request has no credentials of the backend's kind. The chain asks the next backend. */
export const Skip: Skip = { _tag: "Skip" }

/**
 * The place where the backend looks has a value of another form. The next
 * backend that looks there is asked; without one it counts as wrong credentials.
 */
export interface Declined {
  readonly _tag: "Declined"
  readonly reason: string
}

/** The success values of a backend. */
export type Outcome = Declined | Identity | Skip

/**
 * Looks for credentials of its kind in a request: none (`Skip`), an identity, or
 * a failure, which ends the chain.
 */
export type Authenticate<R = never> = (
  request: Incoming
) => Effect.Effect<Outcome, BackendUnavailable | CredentialsRejected, R>

/**
 * A backend. `make` runs once, in the acquire phase of the plugin; it may fail
 * with `E` and take services `R` and a scope.
 */
export interface Backend<out E = never, out R = never> {
  /** Whether the credentials are a certificate of TLS. OpenAPI describes them, and no challenge asks for them. */
  readonly isMutualTls: boolean
  readonly make: Effect.Effect<Authenticate, E, R | Scope.Scope>
  /** Unique in its chain; the `method` of its identities, and its name in OpenAPI. */
  readonly name: string
  /** The scheme that clients see; undefined if clients do not see the backend. */
  readonly scheme: Scheme | undefined
  /** Where the backend looks for credentials; undefined if it looks at the whole request. */
  readonly source: Source.Source | undefined
}

/** Any backend. It has no `E` and `R`, so that a call inside a list infers its own. */
export interface Any {
  readonly isMutualTls: boolean
  readonly make: object
  readonly name: string
  readonly scheme: Scheme | undefined
  readonly source: Source.Source | undefined
}

/** The errors with which making the backends may fail. */
export type Error<B> = B extends Backend<infer E, infer _R> ? E : never

/** The services that making the backends requires. */
export type Requires<B> = B extends Backend<infer _E, infer R> ? R : never

/** Whether an outcome is an identity. */
export const isIdentity = (outcome: Outcome): outcome is Identity => !("_tag" in outcome)

/**
 * Creates a backend of your own. `authenticate` returns `Auth.Skip` if the request has
 * no credentials of its kind, returns an identity, or fails with
 * `Auth.CredentialsRejected` or `Auth.BackendUnavailable`.
 *
 * Requests that pages of other origins start are refused, unless `scheme` describes credentials that
 * a browser does not add by itself.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Exit from "effect/Exit"
 * import * as Auth from "flange/Auth"
 *
 * const mesh = Auth.backend({
 *   authenticate: (request) => {
 *     const peer = request.headers["x-mesh-peer"]
 *     return Effect.succeed(
 *       peer === undefined ? Auth.Skip : Auth.identity({ isServiceAccount: true, subject: peer })
 *     )
 *   },
 *   name: "mesh"
 * })
 * mesh.name // => "mesh"
 * ```
 */
export const backend = <R = never>(options: {
  /** Returns the caller, or `Skip` if the request has no credentials for this backend. */
  readonly authenticate: (
    request: HttpServerRequest
  ) => Effect.Effect<Identity | Skip, BackendUnavailable | CredentialsRejected, R>
  /** The name in logs and in chains. */
  readonly name: string
  /** The scheme in `WWW-Authenticate` and in the OpenAPI document. Default: none. */
  readonly scheme?: Scheme | undefined
}): Backend<never, R> => ({
  isMutualTls: false,
  make: Effect.map(
    Effect.context<R>(),
    (context): Authenticate =>
      (request) =>
        Effect.mapEager(
          provided(options.authenticate(request.request), context),
          named(options.name)
        )
  ),
  name: options.name,
  scheme: options.scheme,
  source: undefined
})

/** Runs with the services captured at acquire; those of the request take precedence. */
const provided = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  context: Context.Context<R>
): Effect.Effect<A, E> =>
  Exit.isExit(effect)
    ? // An effect that has ended needs no services.
      (effect as Exit.Exit<A, E>)
    : Effect.provideContext(effect, context)

const named =
  (method: string) =>
  (outcome: Outcome): Outcome =>
    isIdentity(outcome) && outcome.method !== method ? { ...outcome, method } : outcome

/**
 * Returns a validator without requirements: the given one, or that of an effect, with
 * the services captured at acquire; those of the request take precedence.
 */
export const bindValidator = <Sent, A, E2, R2, E, R>(
  validate:
    | ((sent: Sent) => Effect.Effect<A, E2, R2>)
    | Effect.Effect<(sent: Sent) => Effect.Effect<A, E2, R2>, E, R>
): Effect.Effect<
  (sent: Sent) => Effect.Effect<A, E2>,
  E,
  Exclude<R | R2, Scope.Scope> | Scope.Scope
> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<R2>()
    const check = Effect.isEffect(validate) ? yield* validate : validate
    return (sent: Sent) => provided(check(sent), context)
    // The scope that is taken out of R and R2 here is the plugin's own, which `make` has.
  }) as Effect.Effect<
    (sent: Sent) => Effect.Effect<A, E2>,
    E,
    Exclude<R | R2, Scope.Scope> | Scope.Scope
  >

/**
 * Whether browsers may have added the credentials by themselves. They may if nothing is known of the
 * backend's credentials: it looks at the whole request and has no scheme.
 */
export const isAmbient = ({ scheme, source }: Any): boolean => {
  const place = source ?? (scheme && sourceOf(scheme))
  return place === undefined || Source.isAmbient(place)
}

const skip = Effect.succeed(Skip)

/** The function that checks one credential. */
export type Check = (
  credential: string,
  request: Incoming
) => Effect.Effect<Declined | Identity, BackendUnavailable | CredentialsRejected>

/** A backend that looks in one place. */
export const fromSource = <E, R>(options: {
  readonly check: Effect.Effect<Check, E, R | Scope.Scope>
  readonly name: string
  readonly scheme: Scheme
  readonly source: Source.Source
}): Backend<E, R> => {
  const byName = named(options.name)
  return {
    isMutualTls: false,
    make: Effect.map(options.check, (check): Authenticate => (request) => {
      const found = Source.read(options.source, request)
      switch (found._tag) {
        case "Ambiguous":
          return Effect.fail(new CredentialsRejected({ reason: found.reason }))
        case "None":
          return skip
        case "Some":
          return Effect.mapEager(check(found.credential, request), byName)
      }
    }),
    name: options.name,
    scheme: options.scheme,
    source: options.source
  }
}
