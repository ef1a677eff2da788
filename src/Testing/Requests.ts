/** How a test's requests reach the listener of the app, in memory or through a socket. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import * as Scheduler from "effect/Scheduler"
import * as Client from "../Contract/Client.ts"
import type { ContextualWebHandler } from "../Server/Listener/Web/WebListener.ts"
import type { LogEntry } from "./TestLogs.ts"
import { TestOptionsError } from "./TestOptionsError.ts"
import * as TestRequest from "./TestRequest.ts"
import { TestResponse } from "./TestResponse.ts"

type Get = (path: string, options?: TestRequest.RequestOptions) => Effect.Effect<TestResponse>

type Send = (path: string, options?: TestRequest.BodyOptions) => Effect.Effect<TestResponse>

/**
 * Sends requests by method and path. Paths are relative to the app's `url`. If a request cannot be
 * made from its options, the effect dies with `TestOptionsError`.
 */
export interface Requests {
  readonly delete: Send
  /** Sends a web request as it is, for bodies that are read or written piece by piece. */
  readonly fetch: (request: Request) => Effect.Effect<Response>
  readonly get: Get
  readonly head: Get
  readonly options: Get
  readonly patch: Send
  readonly post: Send
  readonly put: Send
  /** Sends a request with any method that `fetch` may send: all but CONNECT, TRACE and TRACK. */
  readonly request: (
    method: string,
    path: string,
    options?: TestRequest.BodyOptions
  ) => Effect.Effect<TestResponse>
}

/** Reads the services that a request takes from the fiber that sends it: clock and scheduler. */
const references = Effect.map(Effect.context<never>(), (context): Context.Context<never> =>
  Context.make(Clock.Clock, Context.get(context, Clock.Clock)).pipe(
    Context.add(Scheduler.Scheduler, Context.get(context, Scheduler.Scheduler))
  )
)

/** Creates the typed client of an app. */
export const clientOf = <G extends HttpApiGroup.Constraint>(
  { api }: { readonly api: HttpApi.HttpApi<string, G> },
  url: string,
  send: ContextualWebHandler
): Effect.Effect<Client.Client<G>, never, HttpApiGroup.MiddlewareClient<G>> =>
  Client.make(api, {
    baseUrl: url,
    transformClient: HttpClient.transform((effect) =>
      Effect.flatMap(references, (own) =>
        Effect.provideService(effect, FetchHttpClient.Fetch, (input, init) =>
          send(new Request(input, init), own)
        )
      )
    )
  }).pipe(Effect.provide(FetchHttpClient.layer))

/** Creates the functions that send requests by method and path. */
export const requests = (
  app: string,
  url: string,
  logs: ReadonlyArray<LogEntry>,
  send: ContextualWebHandler
): Requests => {
  const fetch = (request: Request) =>
    Effect.flatMap(references, (own) =>
      Effect.promise((gone) => {
        const signal = AbortSignal.any([gone, request.signal])
        return send(new Request(request, { signal }), own)
      })
    )
  const request = (method: string, path: string, options: TestRequest.BodyOptions = {}) =>
    Effect.gen(function* () {
      const made = TestRequest.make(url, method, path, options)
      if (Result.isFailure(made)) {
        return yield* Effect.die(new TestOptionsError({ app, problems: made.failure }))
      }
      const response = yield* fetch(made.success)
      const bytes = yield* Effect.promise(() => response.arrayBuffer())
      const { pathname, search } = new URL(made.success.url)
      return new TestResponse({
        bytes: new Uint8Array(bytes),
        headers: response.headers,
        logs,
        method,
        path: pathname + search,
        status: response.status
      })
    })
  const sending =
    (method: string): Send =>
    (path, options) =>
      request(method, path, options)
  return {
    delete: sending("DELETE"),
    fetch,
    get: sending("GET"),
    head: sending("HEAD"),
    options: sending("OPTIONS"),
    patch: sending("PATCH"),
    post: sending("POST"),
    put: sending("PUT"),
    request
  }
}
