/** Turns the verdict of a chain into a caller or a reply (401, 403, 429, 500, 503). Both are audited. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import { ParentSpan } from "effect/Tracer"
import * as Thrown from "../../Config/Thrown.ts"
import {
  CurrentCaller,
  CurrentIdentity,
  type Identity,
  OptionalIdentity
} from "../../Contract/Authentication.ts"
import {
  CrossSiteRequest,
  InternalError,
  RateLimited,
  ServiceUnavailable
} from "../../Contract/Catalogue.ts"
import { report } from "../../Server/Exchange/Audit.ts"
import type * as Before from "../../Server/Exchange/Before.ts"
import { unauthenticated } from "../../Server/Route/Guarding.ts"
import type { Made } from "./Chain.ts"
import type * as CrossSite from "./CrossSite.ts"
import type { Decide, Guarded } from "./Guessing.ts"

/** A chain whose backends are made, behind the limit of wrong credentials. */
export interface Admitting extends Pick<Made, "challenge" | "isAmbient" | "isForgeable" | "name"> {
  /** Returns why a request counts as started by a page of another origin. */
  readonly crossSite: CrossSite.ReasonOf
  readonly decide: Decide
}

/** Authenticates the caller of a request, or returns the reply that refuses the request. */
export const admit = (made: Admitting, optional: boolean, route: string): Before.Before => {
  const { name: chain } = made
  const challenge = made.challenge()

  const pass = (request: Before.Incoming, identity: Identity | undefined) => {
    request.provide(CurrentCaller, { chain, challenge, identity })
    request.provide(OptionalIdentity, Option.fromUndefinedOr(identity))
    if (identity !== undefined) {
      if (made.isAmbient(identity.method)) request.hasAmbientCredentials = true
      request.provide(CurrentIdentity, identity)
    }
    const outcome = identity === undefined ? "anonymous" : "success"
    return Effect.mapEager(report(request, { chain, identity, outcome, route }), () => undefined)
  }

  const settle = (
    request: Before.Incoming,
    verdict: Guarded
  ): Effect.Effect<HttpServerResponse.HttpServerResponse | undefined> => {
    switch (verdict._tag) {
      case "Anonymous": {
        if (optional) return pass(request, undefined)
        const reason = "No credentials came with the request"
        return Effect.andThen(
          report(request, { chain, outcome: "denied", reason, route }),
          unauthenticated(challenge)
        )
      }
      case "Authenticated": {
        const { identity } = verdict
        const reason = made.isForgeable(request, identity.method)
          ? made.crossSite(request)
          : undefined
        if (reason === undefined) return pass(request, identity)
        return Effect.andThen(
          report(request, { chain, identity, outcome: "denied", reason, route }),
          forgeable
        )
      }
      case "Failed": {
        const { backend: method, cause } = verdict
        const reason = Thrown.messageOf(Cause.squash(cause))
        return Effect.andThen(
          Effect.andThen(
            report(request, { chain, method, outcome: "error", reason, route }),
            Effect.logError(`Backend "${method}" could not check a caller`, cause)
          ),
          cause.reasons.some((reason) => reason._tag === "Die") ? internalError : unavailable
        )
      }
      case "Limited": {
        const reason = "Too many wrong credentials came from the address of the client"
        return Effect.andThen(
          report(request, { chain, outcome: "denied", reason, route }),
          Effect.map(
            limited,
            HttpServerResponse.setHeaders({
              "cache-control": "no-store",
              "retry-after": String(verdict.seconds)
            })
          )
        )
      }
      case "Refused": {
        const { backend: method, reason } = verdict
        return Effect.andThen(
          report(request, { chain, method, outcome: "denied", reason, route }),
          unauthenticated(made.challenge(method))
        )
      }
    }
  }

  return (request) =>
    Effect.flatMapEager(traced(request, chain, made.decide(request)), (verdict) =>
      settle(request, verdict)
    )
}

/** Returns a decision that waits with a span around it, if the request is sampled. */
const traced = (
  request: Before.Incoming,
  chain: string,
  decided: ReturnType<Decide>
): ReturnType<Decide> =>
  Exit.isExit(decided) || request.find(ParentSpan)?.sampled !== true
    ? decided
    : Effect.withSpan(decided, "authentication", { attributes: { chain } })

// The exchange adds what is known of the request.
const forgeable = HttpServerRespondable.toResponse(new CrossSiteRequest())

const internalError = HttpServerRespondable.toResponse(new InternalError())

const limited = HttpServerRespondable.toResponse(new RateLimited())

const unavailable = Effect.map(
  HttpServerRespondable.toResponse(new ServiceUnavailable()),
  HttpServerResponse.setHeader("retry-after", "1")
)
