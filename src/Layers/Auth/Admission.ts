/** From a chain's verdict to what happens: the handler with a caller, or 401 or 503; audited either way. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as References from "effect/References"
import {
  CurrentCaller,
  CurrentIdentity,
  type Identity,
  OptionalIdentity
} from "../../Contract/Authentication.ts"
import { InternalError, ServiceUnavailable, Unauthenticated } from "../../Contract/Catalogue.ts"
import type * as Before from "../../Server/Exchange/Before.ts"
import * as ClientIp from "../../Server/Exchange/ClientIp.ts"
import type * as RequestFields from "../../Server/Exchange/RequestFields.ts"
import * as AuditLog from "./AuditLog.ts"
import type { Made, Verdict } from "./Chain.ts"
import { clean } from "./Text.ts"

/** What is known of a decision. */
export interface Decision {
  readonly chain: string
  readonly identity?: Identity | undefined
  readonly method?: string | undefined
  readonly outcome: AuditLog.Outcome
  readonly reason?: string | undefined
  readonly route: string
}

/** Writes a decision to the audit log and into the fields of the request's access line. */
export const report = (request: Before.Incoming, decision: Decision): Effect.Effect<void> => {
  const { chain, identity, outcome } = decision
  const method = decision.method ?? identity?.method
  const reason = decision.reason === undefined ? undefined : clean(decision.reason)
  const subject = identity === undefined ? undefined : clean(identity.subject)
  const fields: RequestFields.Fields = { authOutcome: outcome }
  if (method !== undefined) fields["authMethod"] = method
  if (reason !== undefined) fields["authReason"] = reason
  if (identity !== undefined && subject !== undefined) {
    const client = identity.attributes["clientId"]
    if (typeof client === "string") fields["clientId"] = clean(client)
    else if (identity.isServiceAccount) fields["clientId"] = subject
    if (!identity.isServiceAccount) fields["userId"] = subject
  }
  request.annotate(fields)
  const audit = request.get(AuditLog.AuditLog)
  if (!AuditLog.isHeard(audit, outcome, request.get(References.MinimumLogLevel))) return Effect.void
  return AuditLog.record(audit, {
    chain,
    clientIp: ClientIp.of(request),
    method,
    outcome,
    reason,
    requestId: request.requestId,
    route: decision.route,
    subject
  })
}

/** Authenticates the caller of a request, or answers it. An optional route serves callers without credentials too. */
export const admit = (made: Made, optional: boolean, route: string): Before.Before => {
  const { name: chain } = made
  const challenge = made.challenge()

  const pass = (request: Before.Incoming, identity: Identity | undefined) => {
    request.provide(CurrentCaller, { chain, challenge, identity })
    request.provide(OptionalIdentity, Option.fromUndefinedOr(identity))
    if (identity !== undefined) request.provide(CurrentIdentity, identity)
    const outcome = identity === undefined ? "anonymous" : "success"
    return Effect.mapEager(report(request, { chain, identity, outcome, route }), () => undefined)
  }

  const settle = (
    request: Before.Incoming,
    verdict: Verdict
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
      case "Authenticated":
        return pass(request, verdict.identity)
      case "Failed": {
        const { backend: method, cause } = verdict
        const reason = reasonOf(cause)
        return Effect.andThen(
          Effect.andThen(
            report(request, { chain, method, outcome: "error", reason, route }),
            Effect.logError(`Backend "${method}" could not check a caller`, cause)
          ),
          cause.reasons.some((reason) => reason._tag === "Die") ? internalError : unavailable
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
    Effect.flatMapEager(made.decide(request), (verdict) => settle(request, verdict))
}

const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}

// The exchange adds what is known of the request.
const anonymous = HttpServerRespondable.toResponse(new Unauthenticated())

const internalError = HttpServerRespondable.toResponse(new InternalError())

const unavailable = Effect.map(
  HttpServerRespondable.toResponse(new ServiceUnavailable()),
  HttpServerResponse.setHeader("retry-after", "1")
)

/** The reply to a caller that has to authenticate, with the fixed text of the catalogue. */
export const unauthenticated = (challenge: string) =>
  Effect.map(
    anonymous,
    HttpServerResponse.setHeaders({ "cache-control": "no-store", "www-authenticate": challenge })
  )
