// A value and a reply from the cache in Redis, which take 20 ms without it.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import * as Cache from "flange/Cache"
import { ResponseCache } from "flange/Cache/Contract"
import * as Redis from "flange/Redis"
import { Ready, server } from "./effect/FlangeHost.ts"

const made = Effect.as(Effect.sleep(20), { made: true })
const Value = Schema.Struct({ made: Schema.Boolean })
const ttl = 200

class ValuesApi extends HttpApiGroup.make("values").add(
  HttpApiEndpoint.get("reply", "/reply/:id", {
    params: { id: Schema.Int },
    success: Value
  }).annotate(ResponseCache, ResponseCache.public(ttl)),
  HttpApiEndpoint.get("value", "/value/:id", { params: { id: Schema.Int }, success: Value })
) {}

const Values = Plugin.make("bench:values", {
  requires: [Cache.ObjectCache],
  routes: [
    Route.public(ValuesApi, (handlers) =>
      Effect.map(Cache.ObjectCache, (cache) =>
        handlers.handleAll({
          reply: () => made,
          value: ({ params }) =>
            cache.getOrLoad(Cache.CacheKey.of("values", params.id), { schema: Value, ttl }, made)
        })
      )
    )
  ]
})

App.run(
  App.make("bench", [Cache.withRedis, Ready, Redis.plugin, Values], {
    config: { environment: "production", values: { server } }
  })
)
