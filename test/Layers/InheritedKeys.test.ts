/** Keys named like the members of `Object.prototype` are keys as others, in what batteries store and send. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { Action, App, AppRuntime, CurrentIdentity, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import * as Cache from "flange/Cache"
import * as Database from "flange/Database"
import { DynamoDb, Table } from "flange/DynamoDb"
import { TestDynamoDb } from "flange/DynamoDb/Testing"
import * as Files from "flange/Files"
import { Upload, uploadErrors } from "flange/Files/Contract"
import * as Queue from "flange/Queue"
import { TestQueue } from "flange/Queue/Testing"
import * as Realtime from "flange/Realtime"
import { EventStream, follow } from "flange/Realtime/Contract"
import * as Templates from "flange/Templates"
import { TestTemplates } from "flange/Templates/Testing"
import { TestApp } from "flange/Testing"
import { describe } from "vitest"
import * as ChannelText from "../../src/Contract/ChannelText.ts"
import * as RunAction from "../../src/Layers/Admin/RunAction.ts"
import * as backends from "./Database/backends.ts"

const fields = {
  constructor: Schema.optionalKey(Schema.String),
  id: Schema.Int,
  toString: Schema.optionalKey(Schema.Int),
  valueOf: Schema.optionalKey(Schema.NullOr(Schema.String))
}

const Data = Schema.Struct({ ...fields, inner: Schema.optionalKey(Schema.Struct(fields)) })

/** Returns data with these members. To the compiler every object has the keys. */
const dataOf = (members: object) => members as typeof Data.Type

const plain = dataOf({ id: 1, inner: { id: 2 } })

const full = dataOf({
  constructor: "c",
  id: 3,
  inner: { constructor: "d", id: 4, valueOf: null },
  toString: 5,
  valueOf: "v"
})

const all = [plain, full]

it.effect("queues: payloads, results and errors", () =>
  Effect.gen(function* () {
    const seen: Array<unknown> = []
    const Jobs = Queue.make("jobs", {
      error: Data,
      maxAttempts: 1,
      payload: Data,
      success: Data
    })
    const Work = Plugin.make("app:work", {
      contributes: [
        Jobs.worker((payload, { id }) => {
          seen.push(payload)
          return id.startsWith("fails") ? Effect.fail(payload) : Effect.succeed(payload)
        })
      ],
      requires: [Queue.Queues]
    })
    const queue = TestQueue.make()
    const app = yield* TestApp.make(App.make("shop", [Queue.plugin, Work]), {
      replace: [[Queue.plugin, queue.layer]]
    })
    for (const [i, payload] of all.entries()) {
      yield* app.run(Jobs.enqueue(payload, { id: `succeeds${i}` }))
      yield* app.run(Jobs.enqueue(payload, { id: `fails${i}` }))
    }
    expect((yield* queue.items(Jobs)).map(({ payload }) => payload)).toEqual([
      plain,
      plain,
      full,
      full
    ])
    yield* queue.run
    expect(seen).toEqual([plain, plain, full, full])
    for (const [i, payload] of all.entries()) {
      const get = (id: string) =>
        app.run(Effect.flatMap(Queue.QueueStore, (store) => store.get("jobs", id)))
      expect(JSON.parse((yield* get(`succeeds${i}`))!.result!)).toEqual(payload)
      expect(JSON.parse((yield* get(`fails${i}`))!.failure!).error).toEqual(payload)
    }
  })
)

it.effect("caches: values", () =>
  Effect.gen(function* () {
    const app = yield* TestApp.make(App.make("shop", [Cache.plugin]))
    for (const value of all) {
      let loads = 0
      const load = app.run(
        Cache.ObjectCache.use((cache) =>
          cache.getOrLoad(
            Cache.CacheKey.of("data", value.id),
            { schema: Data },
            Effect.sync(() => {
              loads++
              return value
            })
          )
        )
      )
      expect([yield* load, yield* load, loads]).toEqual([value, value, 1])
    }
  })
)

describe("realtime", () => {
  it.effect("broadcasts: messages, keys, and what is known of members", () =>
    Effect.gen(function* () {
      const Room = Realtime.Topic.make("room", { key: Data, message: Data, meta: Data })
      const app = yield* TestApp.make(App.make("chat", [Realtime.broadcast]))
      yield* app.run(
        Effect.scoped(
          Effect.gen(function* () {
            const broadcast = yield* Realtime.Broadcast
            const presence = yield* Realtime.Presence
            for (const message of all) {
              const room = Room.at(message)
              expect(JSON.parse(room.key)).toEqual(message)
              const messages = yield* broadcast.subscribe(room)
              yield* presence.join(room, "ada", message)
              yield* broadcast.publish(room, message)
              expect(yield* Stream.runCollect(Stream.take(messages, 1))).toEqual([
                { _tag: "Message", message }
              ])
              expect(yield* presence.list(room)).toEqual([{ id: "ada", meta: message }])
            }
          })
        )
      )
    })
  )

  const Events = EventStream.make({ constructor: Data, made: Data })
  const Others = EventStream.make({ made: Data })

  class EventsApi extends HttpApiGroup.make("events").add(
    HttpApiEndpoint.get("all", "/events", Events.endpoint)
  ) {}

  const EventsPlugin = Plugin.make("app:events", {
    requires: [Realtime.Sse],
    routes: [
      Route.public(EventsApi, (handlers) =>
        Effect.map(Realtime.Sse, (sse) =>
          handlers.handleAll({ all: () => sse.follow(Events, "news") })
        )
      )
    ]
  })

  const events = [
    { data: plain, event: "made" },
    { data: full, event: "constructor" }
  ] as const

  it.effect("event streams: data, in the log and with the typed client", () =>
    Effect.gen(function* () {
      const app = yield* TestApp.make(App.make("news", [Realtime.sse, EventsPlugin]))
      const log = yield* app.run(Realtime.EventLog)
      for (const event of events) yield* log.append(Events, "news", event)
      const read = yield* log
        .read(Events, "news", { after: "0-0" })
        .pipe(Stream.take(2), Stream.runCollect)
      expect(read).toMatchObject(events)
      const followed = yield* follow((request) => app.client.events.all(request), {
        lastEventId: "0-0"
      }).pipe(Stream.take(2), Stream.runCollect)
      expect(followed).toMatchObject(events)
    })
  )

  it.effect("event streams: an event that only objects have is none of the stream", () =>
    Effect.gen(function* () {
      const app = yield* TestApp.make(App.make("news", [Realtime.sse, EventsPlugin]))
      const log = yield* app.run(Realtime.EventLog)
      yield* log.append(Events, "news", events[1])
      const read = log.read(Others, "news", { after: "0-0" }).pipe(Stream.take(1), Stream.runDrain)
      expect(String((yield* Effect.flip(Effect.sandbox(read))).reasons[0])).toContain(
        'The topic news has an event "constructor" of another stream'
      )
      const append = log.append(Others, "news", events[1] as never)
      expect(String((yield* Effect.flip(Effect.sandbox(append))).reasons[0])).toContain(
        'The stream has no event "constructor"'
      )
    })
  )

  it("channels: messages", () => {
    const { decode, encode } = ChannelText.of(Data)
    for (const message of all) {
      expect(JSON.parse(encode(message))).toEqual(message)
      expect(decode(JSON.stringify(message))).toMatchObject({ success: message })
    }
  })
})

it.effect("forms with files: fields and files, with the typed client", () =>
  Effect.gen(function* () {
    const Form = Upload.multipart({
      constructor: Schema.optionalKey(Schema.Int),
      data: Schema.optionalKey(Schema.fromJsonString(Data)),
      note: Upload.file({ maxBytes: 100 }),
      toString: Upload.optionalFile({ maxBytes: 100 }),
      valueOf: Schema.optionalKey(Schema.String)
    })
    class FormsApi extends HttpApiGroup.make("forms").add(
      HttpApiEndpoint.post("add", "/forms", {
        error: uploadErrors,
        payload: Form,
        success: Schema.String
      })
    ) {}
    const Forms = Plugin.make("app:forms", {
      routes: [
        Route.public(FormsApi, (handlers) =>
          handlers.handleAll({
            add: Effect.fnUntraced(function* ({ payload }) {
              const { note, toString, ...texts } = yield* Files.receive(Form, payload, {
                note: Files.toMemory,
                toString: Files.toMemory
              })
              return JSON.stringify([texts, note.bytes.length, toString?.bytes.length])
            })
          })
        )
      ]
    })
    const { client } = yield* TestApp.make(App.make("forms", [Forms]))
    const note = new Blob(["tea"])
    const sent = (values: object) =>
      Effect.map(
        client.forms.add({ payload: Upload.formData(Form, { note, ...values } as never) }),
        (text) => JSON.parse(text)
      )
    expect(yield* sent({})).toEqual([{}, 3, null])
    expect(yield* sent({ data: plain })).toEqual([{ data: plain }, 3, null])
    const values = { constructor: 7, data: full, valueOf: "v" }
    expect(yield* sent({ ...values, toString: new Blob(["hello"]) })).toEqual([values, 3, 5])
  })
)

it.effect("tables of DynamoDB: items", () =>
  Effect.gen(function* () {
    const Items = Table.make("items", { partitionKey: "id", schema: Data })
    yield* Effect.gen(function* () {
      const items = (yield* DynamoDb).table(Items)
      for (const item of all) {
        yield* items.put(item)
        expect(yield* items.get({ id: item.id })).toEqual(item)
      }
    }).pipe(Effect.provide(TestDynamoDb.layer([Items])))
  })
)

backends.onEach([backends.pglite], "tables of a database", (backend) => {
  it.live("rows", () =>
    Effect.gen(function* () {
      const sql = yield* backends.open(yield* backend.fresh)
      yield* sql`create table things (id integer primary key, "constructor" text, value_of text)`
      const things = yield* Database.table("things", {
        key: "id",
        row: Schema.Struct({
          constructor: Schema.optionalKey(Schema.String),
          id: Schema.Int,
          valueOf: Schema.optionalKey(Schema.String)
        })
      }).pipe(Effect.provideService(SqlClient, sql))
      for (const row of [{ id: 1 }, { constructor: "c", id: 2, valueOf: "v" }]) {
        yield* things.insert(row as never)
        expect(yield* things.find(row.id)).toEqual(Option.some(row))
      }
    })
  )
})

it.effect("templates: data", () =>
  Effect.gen(function* () {
    const Page = Templates.make("page", { data: Data })
    for (const data of all) {
      const { markup } = yield* Effect.provide(
        Templates.html(Page, data),
        TestTemplates.layer({ page: "<b><%= it.id %></b>" })
      )
      expect(markup).toBe(`<b>${data.id}</b>`)
    }
  })
)

it("authentication: attributes of callers", () => {
  for (const attributes of all) {
    const identity = Auth.identity({ attributes: attributes as never, subject: "ada" })
    expect(
      Effect.runSync(Effect.provideService(Auth.attributes(Data), CurrentIdentity, identity))
    ).toEqual(attributes)
  }
})

it.effect("actions: payloads, results and errors, in code and as JSON", () =>
  Effect.gen(function* () {
    const Echo = Action.make("echo", { payload: Data, success: Data })
    const Fail = Action.make("fail", { error: Data, payload: Data })
    const EchoPlugin = Plugin.make("app:echo", {
      actions: [Action.implement(Echo, Effect.succeed), Action.implement(Fail, Effect.fail)]
    })
    const app = yield* TestApp.make(App.make("echo", [EchoPlugin]))
    const runtime = yield* app.run(AppRuntime)
    for (const value of all) {
      expect(yield* app.run(Echo.call(value))).toEqual(value)
      expect(yield* RunAction.run(runtime, "echo", value)).toEqual({ result: value })
      expect(yield* Effect.flip(RunAction.run(runtime, "fail", value))).toMatchObject({
        _tag: "AdminActionFailed",
        error: value
      })
    }
  })
)
