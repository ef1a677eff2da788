// Stock Effect: HttpApi on @effect/platform-node, without Flange.
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import { BareApi, resourceApis } from "./effect/BareApi.ts"
import { host, port, ready, routes, tier } from "./support/Arguments.ts"
import { hello, user } from "./support/Contract.ts"

const bare = () => {
  const extra = resourceApis(routes)
  const api = HttpApi.make("bench").add(BareApi)
  // Groups in a number that only the command line knows have no type of their own.
  const whole = extra.reduce<typeof api>((api, { group }) => api.add(group as never) as never, api)
  return HttpApiBuilder.layer(whole).pipe(
    Layer.provide(
      HttpApiBuilder.group(api, "bare", (handlers) =>
        handlers.handleAll({
          echo: ({ payload }) => Effect.succeed(payload),
          json: () => Effect.succeed(hello),
          user: ({ params, query }) => Effect.succeed(user(params.id, query.verbose))
        })
      )
    ),
    Layer.provide(
      extra.map(({ group, path }) => resource(HttpApi.make("bench").add(group), group, path))
    )
  )
}

const resource = (
  api: HttpApi.HttpApi<"bench", ReturnType<typeof resourceApis>[number]["group"]>,
  group: HttpApiGroup.Top,
  path: string
) =>
  HttpApiBuilder.group(api, group.identifier as `resource${number}`, (handlers) =>
    handlers.handleAll({
      list: () => Effect.succeed({ path }),
      read: ({ params }) => Effect.succeed({ id: params.id })
    })
  )

const app =
  tier === "bare" ? bare() : (await import("./effect/HttpApiProduction.ts")).production

const server = HttpRouter.serve(app, { disableListenLog: true, disableLogger: true })

const listening = Layer.effectDiscard(Effect.andThen(HttpServer.HttpServer, Effect.sync(ready)))

NodeRuntime.runMain(
  Layer.launch(
    Layer.provide(
      Layer.provideMerge(listening, server),
      NodeHttpServer.layer(createServer, { host, port })
    )
  )
)
