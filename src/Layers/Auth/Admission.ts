/** From a chain's verdict to what happens: the handler with a caller, or 401 or 503; audited either way. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import {
  type Caller,
  CurrentCaller,
  CurrentIdentity,
  type Identity,
  OptionalIdentity
} from "../../Server/Authentication.ts"
import { InternalError, ServiceUnavailable, Unauthenticated } from "../../Server/Catalogue.ts"
import * as ClientIp from "../../Server/ClientIp.ts"
import * as Problem from "../../Server/Problem.ts"
import * as RequestFields from "../../Server/RequestFields.ts"
import { RequestId } from "../../Server/RequestId.ts"
import * as AuditLog from "./AuditLog.ts"
import type { Made } from "./Chain.ts"
import { clean } from "./Text.ts"

/** A chain that serves a kind of routes. */
export interface Admission {
  readonly chain: string
  readonly made: Made
  /** Whether callers without credentials pass. */
  readonly optional: boolean
}

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
export const report = (decision: Decision): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
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
    return Effect.flatMap(Effect.andThen(RequestFields.set(fields), ClientIp.current), (clientIp) =>
      AuditLog.record({
        chain,
        clientIp,
        method,
        outcome,
        reason,
        requestId: fiber.getRef(RequestId),
        route: decision.route,
        subject
      })
    )
  })

/** Runs the rest of a request for its caller, or answers it. */
export const admit =
  ({ chain, made, optional }: Admission, route: string) =>
  <E, R>(
    next: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
  ): Effect.Effect<HttpServerResponse.HttpServerResponse, E, R> =>
    Effect.withFiber((fiber) => {
      const request = Context.getUnsafe(
        // Middleware runs in the fiber of a request.
        fiber.context as Context.Context<HttpServerRequest>,
        HttpServerRequest
      )
      return Effect.flatMap(made.decide(request), (verdict) => {
        switch (verdict._tag) {
          case "Anonymous": {
            if (!optional) {
              const reason = "No credentials came with the request"
              return Effect.andThen(
                report({ chain, outcome: "denied", reason, route }),
                unauthenticated(made.challenge())
              )
            }
            const caller: Caller = { chain, challenge: made.challenge(), identity: undefined }
            return Effect.andThen(
              report({ chain, outcome: "anonymous", route }),
              withCaller(next, caller)
            )
          }
          case "Authenticated": {
            const { identity } = verdict
            return Effect.andThen(
              report({ chain, identity, outcome: "success", route }),
              withCaller(next, { chain, challenge: made.challenge(), identity })
            )
          }
          case "Failed": {
            const { backend, cause } = verdict
            const reason = reasonOf(cause)
            return Effect.andThen(
              Effect.andThen(
                report({ chain, method: backend, outcome: "error", reason, route }),
                Effect.logError(`Backend "${backend}" could not check a caller`, cause)
              ),
              cause.reasons.some((reason) => reason._tag === "Die")
                ? render(new InternalError())
                : unavailable
            )
          }
          case "Refused": {
            const { backend, reason } = verdict
            return Effect.andThen(
              report({ chain, method: backend, outcome: "denied", reason, route }),
              unauthenticated(made.challenge(backend))
            )
          }
        }
      })
    })

const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}

/** An error of the catalogue as the whole reply: slots stand outside of what completes those of handlers. */
export const render = (error: HttpServerRespondable.Respondable) =>
  Effect.withFiber((fiber) =>
    Problem.render(error, {
      // Middleware runs in the fiber of a request.
      request: Context.getUnsafe(
        fiber.context as Context.Context<HttpServerRequest>,
        HttpServerRequest
      ),
      requestId: fiber.getRef(RequestId)
    })
  )

/** The reply to a caller that has to authenticate, with the fixed text of the catalogue. */
export const unauthenticated = (challenge: string) =>
  Effect.map(
    render(new Unauthenticated()),
    HttpServerResponse.setHeaders({ "cache-control": "no-store", "www-authenticate": challenge })
  )

const unavailable = Effect.suspend(() =>
  Effect.map(render(new ServiceUnavailable()), HttpServerResponse.setHeader("retry-after", "1"))
)

const withCaller = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  caller: Caller
): Effect.Effect<A, E, R> =>
  Effect.updateContext(effect, (context: Context.Context<R>) => {
    const known = Context.add(context, CurrentCaller, caller)
    const optional = Context.add(known, OptionalIdentity, Option.fromUndefinedOr(caller.identity))
    return (
      caller.identity === undefined
        ? optional
        : Context.add(optional, CurrentIdentity, caller.identity)
    ) as Context.Context<R>
  })
