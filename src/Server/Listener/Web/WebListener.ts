/** The listener without a socket: `Request` in, `Response` out. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as Scope from "effect/Scope"
import type { Listener } from "../Listener.ts"
import { WebWire } from "./WebWire.ts"

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
  ({ context, dispatch, exchange, interrupt }) =>
    Effect.sync(() => {
      const pending = new Set<Promise<unknown>>()
      const general = HttpEffect.toWebHandlerWith<never, HttpServerRequest | Scope.Scope>(
        context as Context.Context<never>
      )(exchange)
      receive((request, references) => {
        let gone = () => {}
        const reply = new Promise<Response>((resolve, reject) => {
          const own = references ?? Context.empty()
          const wire = new WebWire(request, own, resolve)
          if (!dispatch(wire, references)) general(request, own).then(resolve, reject)
          // No lane answers a client that has gone away.
          gone = () => resolve(new Response(null, { status: 499 }))
        })
        pending.add(reply)
        request.signal.addEventListener("abort", gone, { once: true })
        const done = () => {
          pending.delete(reply)
          request.signal.removeEventListener("abort", gone)
        }
        reply.then(done, done)
        return reply
      })
      return {
        address: undefined,
        drain: ({ timeout }) =>
          Effect.promise(() => Promise.allSettled(pending)).pipe(
            Effect.timeoutOption(timeout),
            Effect.andThen(interrupt)
          )
      }
    })
