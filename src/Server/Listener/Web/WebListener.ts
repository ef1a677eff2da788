/** The listener without a socket: `Request` in, `Response` out. */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Listener } from "../Listener.ts"
import { WebWire } from "./WebWire.ts"

/** Answers a request in memory. */
export type WebHandler = (request: Request) => Promise<Response>

/** A `WebHandler` that also takes references for one request, such as a test's clock. */
export type ContextualWebHandler = (
  request: Request,
  references?: Context.Context<never>
) => Promise<Response>

/**
 * Creates a listener that passes its handler to `receive` and does not bind. It passes the handlers of
 * ports to `receivePort`; without it, ports are not opened.
 */
export const make = (
  receive: (handler: ContextualWebHandler) => void,
  receivePort?: (name: string, handler: ContextualWebHandler) => void
): Listener =>
  Object.assign(
    listener(receive),
    receivePort && {
      port: (name: string) => listener((handler) => receivePort(name, handler))
    }
  )

const listener =
  (receive: (handler: ContextualWebHandler) => void): Listener =>
  ({ serve, serving }) =>
    Effect.sync(() => {
      const pending = new Map<Promise<unknown>, () => void>()
      const stopped = Deferred.makeUnsafe<never>()
      // The streams of replies need the app's services.
      const context = serving.context as Context.Context<never>
      receive((request, references) => {
        let end = (_status: number) => {}
        const reply = new Promise<Response>((resolve) => {
          const own = references === undefined ? context : Context.merge(context, references)
          serve(new WebWire(request, own, Deferred.await(stopped), resolve), references)
          end = (status) => resolve(new Response(null, { status }))
        })
        // The promise must resolve even while the exchange cannot answer because it reads the body.
        const gone = () => end(499)
        pending.set(reply, () => end(503))
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
          Effect.promise(() => Promise.allSettled(pending.keys())).pipe(
            Effect.andThen(serving.idle),
            Effect.timeoutOption(timeout),
            Effect.andThen(
              Effect.timeoutOption(Effect.andThen(serving.interrupt, serving.idle), "1 second")
            ),
            Effect.andThen(
              Effect.sync(() => {
                for (const cut of pending.values()) cut()
                Deferred.doneUnsafe(stopped, Exit.die(new Error("The app has stopped")))
              })
            )
          )
      }
    })
