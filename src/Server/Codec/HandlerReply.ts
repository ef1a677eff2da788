/** The reply to a value that a handler returns. */
import * as Effect from "effect/Effect"
import { HttpApiSchemaError } from "effect/http-api/HttpApiError"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { toResponse } from "../Exchange/EncodedReply.ts"
import type { Exchange } from "../Exchange/Exchange.ts"
import type * as Encoder from "./Encoder.ts"

/** Whether a handler returned a reply rather than a value of the contract. */
const isReply = (value: unknown): value is HttpServerRespondable.Respondable =>
  HttpServerResponse.isHttpServerResponse(value) || HttpServerRespondable.isRespondable(value)

/** Returns what the handler of a channel has returned. A value that is no reply is a defect. */
export const required = <E, R>(
  name: string,
  returned: Effect.Effect<unknown, E, R>
): Effect.Effect<unknown, E, R> =>
  Effect.flatMapEager(returned, (value) =>
    isReply(value)
      ? Effect.succeed(value)
      : Effect.die(
          new TypeError(
            `The handler of ${name} returned no reply. Return the reply of \`upgrade\`: in a generator, write \`return yield* channel.upgrade(...)\`.`
          )
        )
  )

/** Returns the reply to a handler's value. A value that does not fit the contract is a defect. */
export const make = (
  success: Encoder.Encode | undefined,
  value: unknown,
  exchange: Exchange
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.suspend(() =>
    isReply(value)
      ? HttpServerRespondable.toResponse(value)
      : encoded(
          success!(value), // a handler without a contract returns replies only
          exchange
        )
  )

/** Returns the reply to a value that is being encoded. */
export const encoded = (
  encoding: ReturnType<Encoder.Encode>,
  exchange: Exchange
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.matchEffect(encoding, {
    onFailure: (cause) => Effect.die(new HttpApiSchemaError({ cause, kind: "Body" })),
    onSuccess: (reply) => Effect.succeed(toResponse(reply, exchange))
  })
