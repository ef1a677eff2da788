/** The cache on the admin port and in the console. */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as AdminRoute from "../../Plugin/AdminRoute.ts"
import * as ConsolePanel from "../../Plugin/ConsolePanel.ts"
import * as Issues from "../../Server/Exchange/Issues.ts"
import * as CacheKey from "./CacheKey.ts"
import { ObjectCache } from "./ObjectCache.ts"

const Part = Schema.Union([Schema.Boolean, Schema.Finite, Schema.String])

/** The segments of a key. */
const Path = Schema.TupleWithRest(Schema.Tuple([Schema.String]), [Part])

const Targets = Schema.Struct({
  keys: Schema.optionalKey(Schema.Array(Path)),
  prefixes: Schema.optionalKey(Schema.Array(Path)),
  tags: Schema.optionalKey(Schema.Array(Part))
})

const expected =
  'Write JSON such as { "keys": [["products", 7]], "prefixes": [["products"]], "tags": ["catalogue"] }'

const stats = ObjectCache.use((cache) => Effect.map(cache.stats, HttpServerResponse.jsonUnsafe))

const invalidate = Effect.gen(function* () {
  const cache = yield* ObjectCache
  const {
    keys = [],
    prefixes = [],
    tags = []
  } = yield* Effect.mapError(HttpServerRequest.schemaBodyJson(Targets), () =>
    Issues.malformedBody(expected)
  )
  yield* cache.invalidate(
    ...keys.map((path) => CacheKey.of(...path)),
    ...prefixes.map((path) => CacheKey.prefix(...path)),
    ...tags.map((name) => CacheKey.tag(name))
  )
  return HttpServerResponse.empty()
})

/** The routes of the admin port, and the panel of the console that shows the numbers. */
export const contributions = [
  AdminRoute.make(
    "cache",
    {
      description: "Numbers of the cache, by the first segment of its keys",
      method: "GET",
      path: "/cache"
    },
    stats
  ),
  AdminRoute.make(
    "invalidate-cache",
    {
      description: "Forgets values by keys, prefixes and tags",
      method: "POST",
      path: "/cache/invalidate"
    },
    invalidate
  ),
  ConsolePanel.make("cache", {
    data: "/cache",
    // Browsers run it as it is, so it is not compiled. The path is the same from src and from dist.
    page: { module: new URL("../../../src/Layers/Cache/panel.js", import.meta.url) },
    title: "Cache"
  })
] as const
