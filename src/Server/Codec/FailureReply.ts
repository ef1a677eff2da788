/** The replies to failures that the contract declares. */
import * as Effect from "effect/Effect"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import { toResponse } from "../Exchange/EncodedReply.ts"
import type { Exchange } from "../Exchange/Exchange.ts"
import { logDeclared } from "../Exchange/FailureLog.ts"
import * as Problem from "../Exchange/Problem.ts"
import type * as Encoder from "./Encoder.ts"

/** A handler's result: a value of the contract, or a reply. */
export type Handled = Effect.Effect<unknown, unknown, unknown>

/** Encodes a handler's failures and replies before Effect's own handler sees them. */
export const replied = (handled: Handled, failure: Encoder.Encode, exchange: Exchange): Handled =>
  Effect.matchEffect(handled, {
    onFailure: (error) =>
      Effect.catch(failureReply(failure, error, exchange), (undeclared) =>
        Effect.die(new Problem.Undeclared(undeclared))
      ),
    onSuccess: (value) =>
      HttpServerRespondable.isRespondable(value)
        ? HttpServerRespondable.toResponse(value)
        : Effect.succeed(value)
  })

/** Returns the reply to a failure that the contract declares. Other failures are passed on. */
export const failureReply = (
  encode: Encoder.Encode | undefined,
  error: unknown,
  exchange: Exchange
): Effect.Effect<HttpServerResponse.HttpServerResponse, unknown> =>
  encode === undefined
    ? Effect.fail(error)
    : Effect.matchEffect(
        Effect.suspend(() => encode(error)),
        {
          onFailure: () => Effect.fail(error),
          onSuccess: (encoded) =>
            Effect.as(
              logDeclared(error, encoded.status, encoded.problem?.["code"]),
              toResponse(encoded, exchange)
            )
        }
      )
