import { readFileSync } from "node:fs"
import * as Http from "node:http"
import * as Net from "node:net"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpEffect from "effect/http/HttpEffect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Tracer from "effect/Tracer"
import { assert, describe, it } from "vitest"
import * as EffectInternals from "../../src/Server/EffectInternals.ts"

const { version } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.resolve("effect")), "utf8")
) as { readonly version: string }

const Failed = Schema.Struct({ why: Schema.String }).pipe(HttpApiSchema.status(409))

const Item = Schema.Struct({ id: Schema.BigInt }).pipe(HttpApiSchema.status(201))

const endpoint = HttpApiEndpoint.get("a", "/", {
  error: Failed,
  success: Item
}) as unknown as HttpApiEndpoint.Top

const annotated = Schema.Int.pipe(
  HttpApiSchema.encodeToWithHeaders(
    { body: Schema.String, headers: { a: Schema.Int } },
    {
      decode: ({ headers }) => headers.a,
      encode: (a) => ({ body: "b", headers: { a } })
    }
  )
)

const [coded] = HttpApiEndpoint.get("a", "/", { success: annotated }).success

class Seventh extends Context.Service<Seventh, number>()("test/seventh") {}

/** What each part of `EffectInternals` has to do. */
const expected: Readonly<Record<keyof typeof EffectInternals, () => void>> = {
  cachedKeys: () => {
    const read = Object.keys(cacheOf(Context.empty() as Context.Context<unknown>)).sort()
    assert.deepStrictEqual(read, [
      "logLevel",
      "maxOpsBeforeYield",
      "minimumLogLevel",
      "preventYield",
      "runtimeMetrics",
      "scheduler",
      "span",
      "stackFrame",
      "tracer",
      "tracerContext",
      "tracerEnabled"
    ])
    const root = Context.empty() as Context.Context<unknown>
    for (const key of EffectInternals.cachedKeys) {
      const other = Context.addUnsafe(root, key, undefined)
      assert.isFalse(isShared(root, other), key)
    }
    assert.isTrue(isShared(root, Context.addUnsafe(root, "test/other", undefined)))
  },
  copyNode: () => {
    const copy = EffectInternals.copyNode(Schema.Int.ast, { checks: undefined })
    assert.deepStrictEqual([copy._tag, Schema.is(Schema.make(copy))(1.5)], ["Number", true])
  },
  getErrorSchemas: () =>
    assert.deepStrictEqual(
      EffectInternals.getErrorSchemas(endpoint).map(EffectInternals.getStatusErrorSchema),
      [409]
    ),
  getResponseEncodingSchema: () =>
    assert.deepStrictEqual(
      [Item, Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/x" }))].map(
        EffectInternals.getResponseEncodingSchema
      ),
      [
        { _tag: "Json", contentType: "application/json" },
        { _tag: "Text", contentType: "text/x" }
      ]
    ),
  getStatusErrorSchema: () =>
    assert.deepStrictEqual(
      [Failed, Schema.String].map(EffectInternals.getStatusErrorSchema),
      [409, 500]
    ),
  getStatusSuccessSchema: () =>
    assert.deepStrictEqual(
      [Item, Schema.String].map(EffectInternals.getStatusSuccessSchema),
      [201, 200]
    ),
  getWithHeadersAnnotation: () => {
    assert.isUndefined(EffectInternals.getWithHeadersAnnotation(Item.ast))
    const { body, bodyCodec, headersCodec, transformation } =
      EffectInternals.getWithHeadersAnnotation(coded!.ast)!
    assert.deepStrictEqual(transformation.encode(7), { body: "b", headers: { a: 7 } })
    assert.isTrue([body, bodyCodec, headersCodec].every(Schema.isSchema))
    assert.deepStrictEqual(
      Schema.encodeUnknownSync(headersCodec as Schema.Codec<unknown>)({ a: 7 }),
      { a: "7" }
    )
  },
  groupHandlers: () => {
    const group = HttpApiGroup.make("g").add(
      HttpApiEndpoint.get("a", "/a/:id", { params: { id: Schema.Int }, success: Schema.String }),
      HttpApiEndpoint.get("b", "/b", { success: Schema.String })
    )
    const api = HttpApi.make("api").add(group)
    const built = EffectInternals.groupHandlers(
      group as unknown as HttpApiGroup.Top,
      (handlers) =>
        (handlers as HttpApiBuilder.Handlers.FromGroup<typeof group>).handleAll({
          a: () => Effect.succeed("a"),
          b: () => Effect.succeed("b")
        }),
      ({ endpoint, handler }) =>
        endpoint.path === "/b" ? { handler, payload: new Map() } : undefined
    )
    const found = Effect.runSync(Effect.scoped(built))
    assert.isDefined(api)
    assert.deepStrictEqual(
      found.map(({ effect, path, written }) => [
        Effect.isEffect(effect),
        path,
        written.endpoint.path,
        Effect.runSync(written.handler(undefined as never) as Effect.Effect<unknown>)
      ]),
      [
        [false, "/a/:id", "/a/:id", "a"],
        [true, "/b", "/b", "b"]
      ]
    )
  },
  isStreamSchema: () =>
    assert.deepStrictEqual(
      [HttpApiSchema.StreamUint8Array(), Item].map(EffectInternals.isStreamSchema),
      [true, false]
    ),
  isStreamSse: () =>
    assert.deepStrictEqual(
      [HttpApiSchema.StreamSse({ data: Item }), HttpApiSchema.StreamUint8Array(), Item].map(
        EffectInternals.isStreamSse
      ),
      [true, false, false]
    ),
  isUpgrade: () =>
    assert.deepStrictEqual(
      [HttpApiSchema.Upgrade({ protocol: "echo" }), Item].map(EffectInternals.isUpgrade),
      [true, false]
    ),
  isWithHeadersValue: () =>
    assert.deepStrictEqual(
      [HttpApiSchema.withHeaders({ body: 1, headers: {} }), { body: 1, headers: {} }].map(
        EffectInternals.isWithHeadersValue
      ),
      [true, false]
    ),
  hasChildren: () => {
    const seen: Array<boolean> = []
    const program = Effect.withFiber((fiber) => {
      const look = Effect.sync(() => void seen.push(EffectInternals.hasChildren(fiber)))
      return Effect.gen(function* () {
        yield* look
        const child = yield* Effect.forkChild(Effect.never)
        yield* look
        yield* Fiber.interrupt(child)
        yield* look
      })
    })
    Effect.runSync(program)
    assert.deepStrictEqual(seen, [false, true, false])
  },
  lazyContext: () => {
    let lookups = 0
    const services = new (class extends Map<string, unknown> {
      override get size() {
        return Infinity
      }
      override get(key: string) {
        lookups++
        return super.get(key)
      }
      override [Symbol.iterator](): MapIterator<[string, unknown]> {
        throw new Error("the map is copied")
      }
    })([["test/service", 1]])
    const Service = Context.Service<number>("test/service")
    const Later = Context.Service<number>("test/later")
    const context = EffectInternals.lazyContext(services) as Context.Context<number>
    const added = Context.addUnsafe(context, "test/other", 2)
    for (let i = 0; i < 100; i++) Context.getOrUndefined(context, Service)
    for (let i = 0; i < 100; i++) Context.getOrUndefined(added as typeof context, Service)
    assert.strictEqual(lookups, 200)
    services.set("test/later", 3)
    assert.strictEqual(Context.getOrUndefined(context, Later), 3)
  },
  mapUpgrade: () => {
    const from = Socket.make({ reader: Effect.never, writer: Effect.never })
    const to = Socket.make({ reader: Effect.never, writer: Effect.never })
    let upgraded: unknown
    const handler = Effect.flatMap(HttpServerRequest, (request) => {
      EffectInternals.mapUpgrade(request, (socket) => (socket === from ? from : to))
      return Effect.map(request.modify({ url: "/other" }).upgrade, (socket) => {
        upgraded = socket
        return HttpServerResponse.empty()
      })
    })
    const scope = Scope.makeUnsafe()
    const upgrade = Effect.runSync(
      NodeHttpServer.makeUpgradeHandler(Effect.never, handler, { scope })
    )
    const connection = new Net.Socket()
    const request = new Http.IncomingMessage(connection)
    Object.assign(request, { method: "GET", url: "/" })
    upgrade(request, connection, Buffer.alloc(0))
    assert.strictEqual(upgraded, to)
  },
  recur: () => {
    const { ast } = Schema.Struct({ a: Schema.Tuple([Schema.String]) })
    const change = (ast: SchemaAST.AST): SchemaAST.AST =>
      SchemaAST.isString(ast) ? Schema.Int.ast : EffectInternals.recur(ast, change)
    const changed = EffectInternals.recur(ast, change)
    assert.isTrue(Schema.is(Schema.make(changed))({ a: [1] }))
    assert.strictEqual(
      EffectInternals.recur(ast, (same) => same),
      ast
    )
  },
  replaceEncoding: () => {
    const text = Schema.toCodecJson(Schema.Date).ast
    const encoded = EffectInternals.replaceEncoding(text, undefined)
    assert.isUndefined(encoded.encoding)
    assert.strictEqual(
      Schema.toCodecJson(Schema.make<Schema.Top>(encoded)).ast.encoding,
      text.encoding
    )
  },
  requestStateKey: () => {
    const state: { preResponseHandler: unknown } = { preResponseHandler: undefined }
    const context = Context.addUnsafe(Context.empty(), EffectInternals.requestStateKey, state)
    HttpEffect.appendPreResponseHandlerUnsafe(context, (_request, response) =>
      Effect.succeed(response)
    )
    assert.isFunction(state.preResponseHandler)
  },
  shareCache: () => {
    const app = Context.addUnsafe(Context.empty(), "test/a", 1) as Context.Context<unknown>
    const request = Context.makeUnsafe<unknown>(new Map([["test/b", 2]]))
    assert.isFalse(isShared(app, request))
    const other = Context.makeUnsafe<unknown>(new Map([["test/b", 2]]))
    EffectInternals.shareCache(other, app)
    assert.isTrue(isShared(app, other))
    assert.strictEqual(cacheOf(other), cacheOf(app))
  },
  shareCacheBut: () => {
    const span = Tracer.externalSpan({ spanId: "b", traceId: "a" })
    const app = Context.addUnsafe(Context.empty(), "test/a", 1) as Context.Context<unknown>
    const made = cacheOf(app)
    const request = Context.makeUnsafe<unknown>(new Map([[Tracer.ParentSpanKey, span]]))
    EffectInternals.shareCacheBut(request, app, span)
    assert.deepStrictEqual(cacheOf(request), { ...made, span })
    // Effect made none: it has the scheduler of the other one, and not a new one.
    assert.strictEqual(cacheOf(request).scheduler, made.scheduler)
  },
  unlisted: () => {
    const app = Context.makeUnsafe<unknown>(new Map([[Seventh.key, 7]]))
    const found = Effect.all([
      Effect.service(Seventh),
      Effect.map(Effect.context(), ({ mapUnsafe }) => [...new Map(mapUnsafe)])
    ])
    assert.deepStrictEqual(runIn(app, EffectInternals.unlisted(found)), [7, []])
    assert.deepStrictEqual(runIn(app, found), [7, [[Seventh.key, 7]]])
    const cache = Effect.withFiber((fiber) => Effect.succeed(fiber.cache))
    assert.strictEqual(runIn(app, EffectInternals.unlisted(cache)), cacheOf(app))
  },
  unlistedAround: () => {
    const app = Context.makeUnsafe<unknown>(
      new Map<string, unknown>([
        [Seventh.key, 7],
        ["test/replaced", 1]
      ])
    )
    const inner = Effect.map(Effect.context(), ({ mapUnsafe }) => Object.fromEntries(mapUnsafe))
    const provided = Context.makeUnsafe<never>(
      new Map([
        ["test/added", 2],
        ["test/replaced", 3]
      ])
    )
    const outer = EffectInternals.unlistedAround(inner, Effect.provideContext(provided))
    assert.deepStrictEqual(runIn(app, Effect.all([outer, inner])), [
      { [Seventh.key]: 7, "test/added": 2, "test/replaced": 3 },
      { [Seventh.key]: 7, "test/replaced": 1 }
    ])
  }
}

/** What an effect that waits for nothing returns in a context. */
const runIn = <A>(
  context: Context.Context<unknown>,
  effect: Effect.Effect<A, never, unknown>
): A | undefined => {
  const exit = Effect.runForkWith(context)(effect).pollUnsafe()
  return exit?._tag === "Success" ? exit.value : undefined
}

/** What a fiber keeps of a context. */
const cacheOf = (context: Context.Context<unknown>): Fiber.Fiber.Cache => {
  let cache: Fiber.Fiber.Cache | undefined
  Effect.runForkWith(context)(
    Effect.withFiber((fiber) => {
      cache = fiber.cache
      return Effect.void
    })
  )
  return cache!
}

/** Whether fibers of two contexts share what they keep: Effect keeps it at the root. */
const isShared = (one: object, other: object): boolean =>
  "cacheRoot" in one && "cacheRoot" in other && one.cacheRoot === other.cacheRoot

describe("EffectInternals", () => {
  it.each(Object.entries(expected))(
    `effect ${version} has %s as the server uses it`,
    (name, check) => {
      assert.isDefined(
        new Map<string, unknown>(Object.entries(EffectInternals)).get(name),
        `effect ${version} has no ${name}: find what replaced it, or write it in EffectInternals.ts`
      )
      try {
        check()
      } catch (error) {
        assert.fail(`${name} of effect ${version} is not what the server uses: ${String(error)}`)
      }
    }
  )

  it("every part of EffectInternals is checked", () => {
    assert.deepStrictEqual(Object.keys(expected).sort(), Object.keys(EffectInternals).sort())
  })
})
