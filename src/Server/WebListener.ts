/** The listener without a socket: `Request` in, `Response` out. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as Scope from "effect/Scope"
import type { Listener } from "./Listener.ts"

/** Answers a request in memory. */
export type WebHandler = (request: Request) => Promise<Response>

/** The same, with references that this request alone runs with, such as a test's clock. */
export type ContextualWebHandler = (
  request: Request,
  references?: Context.Context<never>
) => Promise<Response>

/** A listener that gives its handler to `receive` instead of binding anything. */
export const make =
  (receive: (handler: ContextualWebHandler) => void): Listener =>
  ({ context, exchange }) =>
    Effect.map(Effect.context<never>(), (booting) => {
      receive(
        HttpEffect.toWebHandlerWith<never, HttpServerRequest | Scope.Scope>(
          // As on a socket, requests inherit the references that the app was booted with.
          Context.merge(booting, context as Context.Context<never>)
        )(exchange)
      )
      return { address: undefined, drain: () => Effect.void }
    })
