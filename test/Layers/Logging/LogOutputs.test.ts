import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import { App, Plugin, RequestFields, Route } from "flange"
import * as Logging from "flange/Logging"
import {
  type AccessRecord,
  annotationsOf,
  LogOutputs,
  messageOf
} from "../../../src/Server/Exchange/LogOutputs.ts"

class ItemsApi extends HttpApiGroup.make("items").add(
  HttpApiEndpoint.get("read", "/items/:id", {
    params: { id: Schema.String },
    success: Schema.String
  })
) {}

const Items = Plugin.make("app:items", {
  routes: [
    Route.public(ItemsApi, (handlers) =>
      handlers.handleAll({
        read: ({ params }) =>
          RequestFields.set({ path: "FAKE", tenant: "acme" }).pipe(
            Effect.andThen(Effect.logInfo("inside")),
            Effect.as(params.id)
          )
      })
    )
  ]
})

/** A plugin with an output that keeps what it gets. */
const output = (id: string) => {
  const records: Array<AccessRecord> = []
  const texts: Array<string> = []
  const entries: Array<unknown> = []
  const logger = Logger.make(({ message }) => void entries.push(message))
  const plugin = Plugin.make(id, {
    layer: Layer.effectContext(
      Effect.gen(function* () {
        const outputs = yield* LogOutputs
        const loggers = yield* Logger.CurrentLoggers
        return Context.make(LogOutputs, [
          ...outputs,
          {
            access: (route) => (record) => {
              records.push(record)
              texts.push(messageOf(route, record), JSON.stringify(annotationsOf(route, record)))
            },
            logger
          }
        ]).pipe(Context.add(Logger.CurrentLoggers, new Set([...loggers, logger])))
      })
    )
  })
  return { entries, plugin, records, texts }
}

const started = Effect.fnUntraced(function* (plugins: ReadonlyArray<Plugin.Any>) {
  const app = App.make("shop", [Logging.plugin, ...plugins, Items], {
    config: { values: { logging: { format: "json" } }, variables: {} }
  })
  const web = App.toWebHandler(app)
  yield* Effect.addFinalizer(() => Effect.promise(web.dispose))
  return (headers: Record<string, string> = {}) =>
    Effect.promise(() => web.handler(new Request("http://app/items/7?token=x", { headers })))
})

it.live("every output gets the access line as one record, and no entry for it", () =>
  Effect.gen(function* () {
    const one = output("app:one")
    const two = output("app:two")
    const call = yield* started([one.plugin, two.plugin])
    yield* call({ "user-agent": "curl/8", "x-request-id": "abc" })
    expect(one.records).toHaveLength(1)
    expect(two.records[0]).toBe(one.records[0])
    expect(one.records[0]).toMatchObject({
      fields: { tenant: "acme" },
      isPrivileged: false,
      method: "GET",
      path: "/items/7",
      requestId: "abc",
      status: 200,
      trace: undefined,
      userAgent: "curl/8"
    })
    expect(one.texts[0]).toMatch(/^GET \/items\/:id 200 \d+ms$/)
    expect(JSON.parse(one.texts[1]!)).toMatchObject({
      path: "/items/7",
      requestId: "abc",
      route: "/items/:id",
      tenant: "acme"
    })
    expect(one.entries).toContainEqual(["inside"])
    expect(one.entries.join("\n")).not.toContain("GET /items")
  })
)

it.live("a logger that belongs to no output gets the access line as an entry", () =>
  Effect.gen(function* () {
    const entries: Array<unknown> = []
    const capture = Logger.make(({ fiber, message }) => {
      entries.push([message, fiber.getRef(References.CurrentLogAnnotations)["route"]])
    })
    const one = output("app:one")
    const Capture = Plugin.make("app:capture", {
      layer: Logger.layer([capture], { mergeWithExisting: true })
    })
    const call = yield* started([one.plugin, Capture])
    yield* call()
    expect(one.records).toHaveLength(1)
    expect(one.entries.join("\n")).not.toContain("GET /items")
    expect(entries).toContainEqual([[expect.stringMatching(/^GET \/items\/:id 200/)], "/items/:id"])
  })
)

it.live("an output whose logger was taken out gets no access line", () =>
  Effect.gen(function* () {
    const one = output("app:one")
    const Silent = Plugin.make("app:silent", { layer: Logger.layer([]) })
    const call = yield* started([one.plugin, Silent])
    yield* call()
    expect(one.records).toEqual([])
  })
)

it.live("the record of a traced request has its span", () =>
  Effect.gen(function* () {
    const one = output("app:one")
    const Traced = Plugin.make("app:traced", {
      layer: Layer.succeed(
        Tracer.Tracer,
        Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })
      )
    })
    const call = yield* started([one.plugin, Traced])
    yield* call({ traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` })
    expect(one.records[0]?.trace?.traceId).toBe("a".repeat(32))
    expect(one.records[0]?.trace?.spanId).not.toBe("b".repeat(16))
  })
)
