/** The plugin that compresses replies. */
import * as Effect from "effect/Effect"
import * as Metering from "../../Plugin/Metering.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import * as Compress from "./Compress.ts"
import { codings, CompressionConfig } from "./CompressionConfig.ts"

const compress = Middleware.transform("compression", {
  build: Effect.gen(function* () {
    const config = yield* CompressionConfig
    const counter = Metering.counter(
      yield* Effect.context<never>(),
      "flange.compression.replies",
      "Replies that could be compressed, by their content coding"
    )
    const counts = new Map(
      [...codings, "identity" as const].map((coding) => [
        coding,
        counter({ "flange.compression.coding": coding })
      ])
    )
    return Compress.make(config, (coding) => counts.get(coding)!())
  })
})

/**
 * Compresses replies with Zstandard, Brotli or gzip, as the client accepts them: texts, JSON and the
 * other `compression.types` from 1 KiB on. Errors are compressed too; replies of bare routes are not.
 *
 * These replies stay as they are:
 *
 * - replies to a caller whose credentials a browser may have added by itself, such as a cookie, because
 *   the length of a compressed reply tells an attacker parts of it (BREACH); the annotation `Compressed`
 *   of `flange/Compression/Contract` with `true` allows it
 * - event streams, images, and what has a `Content-Encoding` already
 * - replies with `Cache-Control: no-transform`, a digest or a range
 * - replies of endpoints with the annotation `Compressed` and `false`
 *
 * A reply that could be compressed has `Vary: Accept-Encoding`, whether it was or not. A compressed reply
 * has the weak form of its `ETag`, which `If-None-Match` finds.
 *
 * Bodies up to 32 KiB are compressed at once and need no fiber, longer ones in the thread pool. From
 * 1 MiB on a body is sent piece by piece, as streams are: a slow client slows the compression down.
 * What a stream has brought is sent once it waits for more.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import * as Schema from "effect/Schema"
 * import { App, Plugin, Route } from "flange"
 * import * as Compression from "flange/Compression"
 *
 * class PoemApi extends HttpApiGroup.make("poem").add(
 *   HttpApiEndpoint.get("read", "/poem", { success: Schema.String })
 * ) {}
 * const Poem = Plugin.make("app:poem", {
 *   routes: [Route.public(PoemApi, (handlers) =>
 *     handlers.handleAll({ read: () => Effect.succeed("a rose is ".repeat(200)) }))]
 * })
 *
 * const web = App.toWebHandler(App.make("poems", [Compression.plugin, Poem]))
 * const headers = { "accept-encoding": "gzip, br" }
 * const response = await web.handler(new Request("http://app/poem", { headers }))
 * response.headers.get("content-encoding") // => "br"
 * response.headers.get("vary") // => "Accept-Encoding"
 * await web.dispose()
 * ```
 */
export const plugin = Plugin.make("flange:compression", {
  config: [CompressionConfig],
  middleware: [compress]
})
