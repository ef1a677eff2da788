/** The clients of an app. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { type Calling, refuse } from "./Attempt.ts"
import { call } from "./Call.ts"
import type { UnknownUpstream } from "./Errors.ts"
import * as Meters from "./Meters.ts"
import type { Settings } from "./OutgoingConfig.ts"
import type { Transport } from "./Transport.ts"
import * as Upstreams from "./Upstreams.ts"
import * as UserUrls from "./UserUrls.ts"

/** The service `Clients`. */
export interface ClientsShape {
  /** The client of URLs that come from users. */
  readonly forUserUrls: HttpClient.HttpClient
  /** Returns the client of a named upstream. */
  readonly named: (name: string) => Effect.Effect<HttpClient.HttpClient, UnknownUpstream>
}

/** The clients of an app besides `HttpClient`. `Outgoing.plugin` provides it. */
export class Clients extends Context.Service<Clients, ClientsShape>()("flange/Outgoing/Clients") {}

type Execute = (
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<HttpClientResponse, HttpClientError>

const clientOf = (execute: Execute): HttpClient.HttpClient =>
  HttpClient.makeWith<HttpClientError, never, HttpClientError, never>(
    (request) => Effect.flatMap(request, execute),
    Effect.succeed
  )

/** Creates the clients over a transport. */
export const make = (
  settings: Settings,
  transport: Transport
): Effect.Effect<
  { readonly client: HttpClient.HttpClient; readonly clients: ClientsShape },
  never,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    const scope = yield* Effect.scope
    const upstreams = yield* Upstreams.make(settings)
    const calling: Calling = { client: transport.client, scope }
    const userCalling: Calling = { client: transport.userClient, scope }
    const users = UserUrls.makeUpstream(settings, Meters.make(UserUrls.name, context))
    Meters.register(
      UserUrls.name,
      {
        running: () => users.bulkhead.running,
        state: users.breaker.state,
        waiting: () => users.bulkhead.waiting
      },
      context
    )

    const ofNamed =
      (upstream: Upstreams.Named): Execute =>
      (request) => {
        // A redirect that is followed has a whole URL.
        const isWhole = /^https?:\/\//i.test(request.url)
        const whole = isWhole ? request : HttpClientRequest.prependUrl(request, upstream.url)
        const url = HttpClientRequest.toUrl(whole)
        // A path such as "@host" or "/../" would lead to another host or another service.
        return Option.exists(
          url,
          (url) => Upstreams.isBelow(url, upstream) && url.username + url.password === ""
        )
          ? call(calling, upstream, whole)
          : Effect.fail(
              refuse(
                upstream,
                whole,
                "url",
                isWhole
                  ? "was refused: the URL is not below that of the upstream, or has credentials. If it is that of a redirect, the upstream redirects to another place."
                  : "was refused: the path leads out of the upstream. Encode its parts with encodeURIComponent."
              )
            )
      }

    return {
      client: clientOf((request) =>
        Option.match(HttpClientRequest.toUrl(request), {
          // The client fails with the reason why it is no URL.
          onNone: () => Effect.scoped(transport.client.execute(request)),
          onSome: (url) =>
            Effect.flatMap(upstreams.of(url), (upstream) => call(calling, upstream, request))
        })
      ),
      clients: {
        forUserUrls: clientOf((request) =>
          UserUrls.call(userCalling, users, settings.userUrls, request)
        ),
        named: (name) =>
          Effect.map(upstreams.named(name), (upstream) => clientOf(ofNamed(upstream)))
      }
    }
  })
