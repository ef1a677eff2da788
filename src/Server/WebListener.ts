/** The listener without a socket: `Request` in, `Response` out. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as Scope from "effect/Scope"
import type { Listener } from "./Listener.ts"

/** Answers a request in memory. */
export type WebHandler = (request: Request) => Promise<Response>

/** A listener that gives its handler to `receive` instead of binding anything. */
export const make =
  (receive: (handler: WebHandler) => void): Listener =>
  ({ context, exchange }) =>
    Effect.sync(() => {
      receive(
        HttpEffect.toWebHandlerWith<never, HttpServerRequest | Scope.Scope>(
          context as Context.Context<never>
        )(exchange)
      )
      return { address: undefined, drain: () => Effect.void }
    })
