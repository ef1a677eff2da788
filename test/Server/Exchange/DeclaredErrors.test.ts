import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { ApiError, App, Plugin, Route } from "flange"
import * as Logging from "flange/Logging"
import { TestApp } from "flange/Testing"

class OutOfStock extends ApiError.make<OutOfStock>()("OutOfStock", {
  code: "OUT_OF_STOCK",
  detail: "It is out of stock",
  status: 409
}) {}

class Broken extends ApiError.make<Broken>()("Broken", {
  code: "WAREHOUSE_DOWN",
  detail: "The warehouse does not answer",
  status: 503
}) {}

class Plain extends Schema.TaggedError<Plain>()(
  "Plain",
  { why: Schema.String },
  { httpApiStatus: 502 }
) {}

class Gate extends HttpApiMiddleware.Service<Gate>()("test/Gate", { error: Broken }) {}

const error = [OutOfStock, Broken, Plain]
const success = Schema.String

class StockApi extends HttpApiGroup.make("stock").add(
  HttpApiEndpoint.get("at-once", "/at-once/:kind", {
    error,
    params: { kind: Schema.String },
    success
  }),
  HttpApiEndpoint.get("gate", "/gate/broken", { success }).middleware(Gate),
  HttpApiEndpoint.get("later", "/later/:kind", {
    error,
    params: { kind: Schema.String },
    success
  }),
  HttpApiEndpoint.get("stream", "/stream/:kind", {
    error,
    params: { kind: Schema.String },
    success: HttpApiSchema.StreamUint8Array()
  })
) {}

const cause = new Error("ECONNREFUSED 10.0.0.7")

const failure = (kind: string) =>
  kind === "stock"
    ? new OutOfStock()
    : kind === "plain"
      ? new Plain({ why: "x" })
      : Object.assign(new Broken(), { cause })

const StockPlugin = Plugin.make("test:stock", {
  layer: Layer.succeed(Gate, () => Effect.fail(failure("broken") as Broken)),
  provides: [Gate],
  routes: [
    Route.public(StockApi, (handlers) =>
      handlers.handleAll({
        "at-once": ({ params }) => Effect.fail(failure(params.kind)),
        gate: () => Effect.succeed("never"),
        later: ({ params }) => Effect.andThen(Effect.yieldNow, Effect.fail(failure(params.kind))),
        stream: ({ params }) =>
          Effect.fail(failure(params.kind)) as Effect.Effect<Stream.Stream<Uint8Array>, Broken>
      })
    )
  ]
})

const places = [
  ["in memory", TestApp.make],
  ["through a socket", TestApp.listening]
] as const

describe.each(places)("an error that the contract declares, %s,", (_place, boot) => {
  const run = (path: string, level: string) =>
    Effect.gen(function* () {
      const test = yield* boot(App.make("stock", [Logging.plugin, StockPlugin]), {
        config: { logging: { level } }
      })
      const before = test.logs.length
      const reply = yield* test.get(path)
      const logs = test.logs.slice(before)
      return { access: logs.filter(({ annotations }) => "route" in annotations), logs, reply }
    })

  for (const way of ["at-once", "later", "stream", "gate"]) {
    it.live(`is logged with cause and code if its status is 503: ${way}`, () =>
      Effect.gen(function* () {
        const { access, logs, reply } = yield* run(`/${way}/broken`, "info")
        reply.expectProblem("WAREHOUSE_DOWN", 503)
        const found = logs.filter(({ level }) => level === "Error")
        assert.lengthOf(found, 1)
        const [line] = found
        assert.strictEqual(line!.message, "Request failed")
        assert.deepInclude(line!.annotations, { code: "WAREHOUSE_DOWN", status: 503 })
        assert.isString(line!.annotations["requestId"])
        const logged = Cause.squash(line!.cause!) as Error
        assert.instanceOf(logged, Broken)
        assert.strictEqual(logged.cause, cause)
        assert.strictEqual(access.at(-1)?.annotations["code"], "WAREHOUSE_DOWN")
      })
    )
  }

  for (const way of ["at-once", "later", "stream"]) {
    it.live(
      `is logged at debug if its status is 409, and its code is in the access line: ${way}`,
      () =>
        Effect.gen(function* () {
          const quiet = yield* run(`/${way}/stock`, "info")
          quiet.reply.expectProblem("OUT_OF_STOCK", 409)
          assert.deepStrictEqual(
            quiet.logs.map(({ annotations, level }) => [level, annotations["code"]]),
            [["Info", "OUT_OF_STOCK"]]
          )
          const { logs } = yield* run(`/${way}/stock`, "debug")
          const [line, ...others] = logs.filter(({ message }) => message === "Request refused")
          assert.deepStrictEqual(others, [])
          assert.strictEqual(line!.level, "Debug")
          assert.deepInclude(line!.annotations, { code: "OUT_OF_STOCK", status: 409 })
          assert.instanceOf(Cause.squash(line!.cause!), OutOfStock)
        })
    )

    it.live(`is logged if it is no problem document and its status is 502: ${way}`, () =>
      Effect.gen(function* () {
        const { logs, reply } = yield* run(`/${way}/plain`, "info")
        assert.strictEqual(reply.status, 502)
        const [line] = logs.filter(({ level }) => level === "Error")
        assert.deepInclude(line!.annotations, { status: 502 })
        assert.instanceOf(Cause.squash(line!.cause!), Plain)
      })
    )
  }
})
