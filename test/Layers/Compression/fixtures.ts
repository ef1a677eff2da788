/** An app whose replies are compressed, and requests whose replies stay as they came. */
import { get as httpGet, type IncomingHttpHeaders, request as httpRequest } from "node:http"
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { ApiError, App, Middleware, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import * as Cache from "flange/Cache"
import { ResponseCache } from "flange/Cache/Contract"
import * as Compression from "flange/Compression"
import { Compressed } from "flange/Compression/Contract"
import * as Cors from "flange/Cors"
import { TestApp } from "flange/Testing"

const Text = Schema.String

/** A text of a length that compresses well, and is not ASCII alone. */
export const textOf = (length: number): string =>
  "a rosé is ".repeat(length / 10 + 1).slice(0, length)

class TooMuch extends ApiError.make<TooMuch>()(
  "TooMuch",
  { code: "TOO_MUCH", detail: () => textOf(2000), status: 409 },
  {}
) {}

const size = { params: { size: Schema.Int }, success: Text }

export class PagesApi extends HttpApiGroup.make("pages").add(
  HttpApiEndpoint.get("broken", "/broken", {
    success: HttpApiSchema.StreamUint8Array({ contentType: "text/plain" })
  }),
  HttpApiEndpoint.get("cached", "/cached", { success: Text }).annotate(
    ResponseCache,
    ResponseCache.public("1 minute")
  ),
  HttpApiEndpoint.get("errors", "/errors", { error: TooMuch, success: Text }),
  HttpApiEndpoint.get("hanging", "/hanging", {
    success: HttpApiSchema.StreamUint8Array({ contentType: "text/plain" })
  }),
  HttpApiEndpoint.get("json", "/json/:size", size),
  // What the handler makes of a reply, by the parameter.
  HttpApiEndpoint.get("made", "/made/:how", { params: { how: Text }, success: Text }),
  HttpApiEndpoint.get("never", "/never/:size", size).annotate(Compressed, false),
  HttpApiEndpoint.get("stream", "/stream/:type", {
    params: { type: Text },
    success: HttpApiSchema.StreamUint8Array()
  })
) {}

export class MineApi extends HttpApiGroup.make("mine").add(
  Auth.unguarded(
    HttpApiEndpoint.get("allowed", "/allowed", { success: Text }).annotate(Compressed, true)
  ),
  Auth.unguarded(HttpApiEndpoint.get("mine", "/mine", { success: Text }))
) {}

class BareApi extends HttpApiGroup.make("bare").add(
  HttpApiEndpoint.get("bare", "/bare", { success: Text })
) {}

const long = textOf(5000)

const text =
  (headers: Record<string, string>, status = 200) =>
  () =>
    HttpServerResponse.text(long, { headers, status })

export const made: Readonly<Record<string, () => HttpServerResponse.HttpServerResponse>> = {
  digest: text({ "repr-digest": "sha-256=:AA==:" }),
  empty: () => HttpServerResponse.empty({ status: 204 }),
  encoded: text({ "content-encoding": "gzip" }),
  events: text({ "content-type": "text/event-stream; charset=utf-8" }),
  image: () => HttpServerResponse.uint8Array(Buffer.from(long), { contentType: "image/png" }),
  md5: text({ "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" }),
  noTransform: text({ "cache-control": "public, No-Transform" }),
  notModified: () => HttpServerResponse.empty({ headers: { etag: '"v1"' }, status: 304 }),
  part: text({ "content-range": "bytes 0-4999/9000" }, 206),
  ranges: text({ "accept-ranges": "bytes" }),
  strong: text({ etag: '"v1"' }),
  svg: () =>
    HttpServerResponse.uint8Array(Buffer.from(long), {
      contentType: "Image/SVG+XML; charset=utf-8"
    }),
  varying: text({ vary: "Accept" }),
  weak: text({ etag: 'W/"v1"' })
}

/** What the sources of streams have done, and the function that lets one of them fail. */
export const opened: { end: () => void; pulled: number; released: number } = {
  end: () => {},
  pulled: 0,
  released: 0
}

const piece = Buffer.from(textOf(100))

const hanging = Stream.concat(Stream.make(piece), Stream.never).pipe(
  Stream.ensuring(Effect.sync(() => opened.released++))
)

/** Fails once `opened.end` is called. */
const broken = Stream.make(piece).pipe(
  Stream.concat(
    Stream.fromEffectDrain(
      Effect.callback<void>((resume) => {
        opened.end = () => resume(Effect.void)
      })
    )
  ),
  Stream.concat(Stream.die(new Error("the source broke")))
)

/** Random, so that it stays as long when it is compressed. */
const endless = Stream.fromEffectRepeat(
  Effect.sync(() => {
    opened.pulled++
    return crypto.getRandomValues(new Uint8Array(64 * 1024))
  })
).pipe(Stream.ensuring(Effect.sync(() => opened.released++)))

const streams: Readonly<Record<string, () => HttpServerResponse.HttpServerResponse>> = {
  endless: () => HttpServerResponse.stream(endless, { contentType: "text/plain" }),
  events: () => HttpServerResponse.stream(hanging, { contentType: "text/event-stream" }),
  known: () =>
    HttpServerResponse.stream(Stream.make(Buffer.from(long)), {
      contentLength: Buffer.byteLength(long),
      contentType: "text/plain"
    }),
  text: () =>
    HttpServerResponse.stream(Stream.make(piece, piece, piece), { contentType: "text/plain" })
}

/** Answers before every other slot, also without a route. */
const Closed = Plugin.make("app:closed", {
  middleware: [
    Middleware.before("closed", {
      build: Effect.succeed(
        () => (request) =>
          request.header("x-closed") === undefined
            ? Middleware.pass
            : Effect.succeed(HttpServerResponse.text(long, { status: 503 }))
      ),
      slot: "TransportSecurity"
    })
  ]
})

const Pages = Plugin.make("app:pages", {
  routes: [
    Route.public(PagesApi, (handlers) =>
      handlers.handleAll({
        broken: () => Effect.succeed(broken),
        cached: () => Effect.succeed(long),
        errors: () => Effect.fail(new TooMuch()),
        hanging: () => Effect.succeed(hanging),
        json: ({ params }) => Effect.succeed(textOf(params.size)),
        made: ({ params }) => Effect.succeed(made[params.how]!()),
        never: ({ params }) => Effect.succeed(textOf(params.size)),
        stream: ({ params }) => Effect.succeed(streams[params.type]!())
      })
    ),
    Route.protected(MineApi, (handlers) =>
      handlers.handleAll({
        allowed: () => Effect.succeed(long),
        mine: () => Effect.succeed(long)
      })
    ),
    Route.bare(BareApi, (handlers) => handlers.handleAll({ bare: () => Effect.succeed(long) }))
  ]
})

const AuthPlugin = Auth.plugin({
  default: Auth.chain([
    Auth.apiKey({
      name: "session",
      source: Auth.cookie("session"),
      validate: Auth.keys([
        { identity: { subject: "ada" }, key: Redacted.make("a-long-random-session") }
      ])
    }),
    Auth.bearer([{ identity: { subject: "deploy" }, token: Redacted.make("a-long-random-token") }])
  ])
})

export const app = App.make("pages", [
  Compression.plugin,
  Cors.plugin,
  Cache.plugin,
  AuthPlugin,
  Closed,
  Pages
])

export { long }

const listening = (listener: string) => (config: Readonly<Record<string, unknown>>) =>
  TestApp.listening(app, { config: { server: { listener }, ...config } })

/** How an app is booted. */
export const places = [
  ["in memory", (config: Readonly<Record<string, unknown>>) => TestApp.make(app, { config })],
  ["on the node listener", listening("node")],
  ["on the proxied listener", listening("proxied")]
] as const

export type Test = Effect.Success<ReturnType<(typeof places)[number][1]>>

/** A reply with its body as it came. */
export interface Raw {
  readonly bytes: Buffer
  readonly header: (name: string) => string | undefined
  readonly status: number
}

/** Sends a request, and returns the reply as it came. */
export const ask = (
  test: Test,
  path: string,
  headers: Record<string, string> = {},
  method = "GET"
): Effect.Effect<Raw> => {
  const url = test.url + path
  return Effect.promise(async () => {
    if (new URL(url).port === "") {
      const reply = await Effect.runPromise(test.fetch(new Request(url, { headers, method })))
      return {
        bytes: Buffer.from(await reply.arrayBuffer()),
        header: (name) => reply.headers.get(name) ?? undefined,
        status: reply.status
      }
    }
    return new Promise<Raw>((resolve, reject) => {
      const sent = httpRequest(url, { agent: false, headers, method }, (reply) => {
        const pieces: Array<Buffer> = []
        reply.on("data", (piece: Buffer) => pieces.push(piece))
        reply.on("error", reject)
        reply.on("end", () =>
          resolve({
            bytes: Buffer.concat(pieces),
            header: (name) => (reply.headers as IncomingHttpHeaders)[name] as string | undefined,
            status: reply.statusCode!
          })
        )
      })
      sent.on("error", reject)
      sent.end()
    })
  })
}

const decoders: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  br: brotliDecompressSync,
  gzip: gunzipSync,
  zstd: zstdDecompressSync
}

/** Returns the text of a body without its coding. */
export const decoded = ({ bytes, header }: Raw): string =>
  (decoders[header("content-encoding") ?? ""] ?? ((same: Buffer) => same))(bytes).toString()

export { httpGet }
