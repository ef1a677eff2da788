/** The step in front of an endpoint that runs the decision of a guard or of a policy. */
import * as Effect from "effect/Effect"
import { RouteContext } from "effect/http/HttpRouter"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { CurrentCaller, CurrentIdentity, type Identity } from "../../Contract/Authentication.ts"
import { Forbidden, Unauthenticated } from "../../Contract/Catalogue.ts"
import type * as Guard from "../../Contract/Guard.ts"
import { report } from "../Exchange/Audit.ts"
import { type Before, type Incoming, pass } from "../Exchange/Before.ts"
import { quoted } from "../Exchange/Text.ts"
import type { EndpointInGroup } from "./ContractMiddleware.ts"

type Refusal = Guard.Refusal | undefined

/**
 * Creates the check of an endpoint, which runs `decide`. If that returns a refusal, the
 * check audits the denial and answers 403 with the catalogue's text. If there is no caller,
 * because the guard is outside of authentication, it answers 401.
 *
 * With `isOptional` it decides about a request without a caller too. If it refuses one
 * on a route with authentication, the answer is 401.
 */
export const make =
  (decide: (input: Guard.Input) => Effect.Effect<Refusal> | Refusal, isOptional: boolean) =>
  (options: EndpointInGroup): Before => {
    const route = `${options.endpoint.method} ${options.endpoint.path}`
    return (request) => {
      const caller = request.get(CurrentCaller)
      const identity = caller?.identity ?? request.find(CurrentIdentity)
      const denied = (reason: string) =>
        report(request, {
          chain: caller?.chain ?? "default",
          identity,
          outcome: "denied",
          reason,
          route
        })
      if (identity === undefined && !isOptional) {
        return Effect.andThen(
          denied("A guard found no caller"),
          unauthenticated(caller?.challenge ?? "Custom")
        )
      }
      const settle = (refusal: Refusal) =>
        refusal === undefined
          ? pass
          : Effect.andThen(
              denied(refusal.reason),
              identity === undefined && caller !== undefined
                ? unauthenticated(caller.challenge)
                : forbidden(refusal.scope, caller?.challenge)
            )
      // A decision that is not optional sees known callers only.
      const refusal = decide(new Input(options, identity, request) as Guard.Input)
      return Effect.isEffect(refusal) ? Effect.flatMapEager(refusal, settle) : settle(refusal)
    }
  }

/** The input of a decision. The request is made only if the decision reads it. */
class Input implements Guard.OptionalInput {
  readonly #options: EndpointInGroup
  readonly identity: Identity | undefined
  readonly #request: Incoming

  constructor(options: EndpointInGroup, identity: Identity | undefined, request: Incoming) {
    this.#options = options
    this.identity = identity
    this.#request = request
  }

  get action() {
    return this.#options.endpoint.identifier
  }

  get request() {
    return this.#request.request
  }

  get resource() {
    return {
      group: this.#options.group.identifier,
      params: this.#request.find(RouteContext)?.params ?? {}
    }
  }
}

// The exchange adds the members that depend on the request.
const refused = HttpServerRespondable.toResponse(new Forbidden())

/**
 * Returns the reply to a caller that was refused, with the catalogue's text. If the
 * challenge asks for bearer tokens, the reply names the missing scope. Source: RFC 6750,
 * section 3.1.
 */
const forbidden = (scope: string | undefined, challenge: string | undefined) =>
  Effect.map(refused, (response) => {
    const realm = /Bearer realm="(?:[^"\\]|\\.)*"/.exec(challenge ?? "")?.[0]
    return scope === undefined || realm === undefined
      ? response
      : HttpServerResponse.setHeader(
          response,
          "www-authenticate",
          `${realm}, error="insufficient_scope", scope=${quoted(scope)}`
        )
  })

const anonymous = HttpServerRespondable.toResponse(new Unauthenticated())

/** Returns the reply to a caller that has to authenticate, with the catalogue's text. */
export const unauthenticated = (
  challenge: string
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.map(
    anonymous,
    HttpServerResponse.setHeaders({ "cache-control": "no-store", "www-authenticate": challenge })
  )
