/** The comments of statements, which name the app and the route. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { App, Plugin, Route } from "flange"
import * as Database from "flange/Database"
import { TestApp } from "flange/Testing"
import { expect, it } from "vitest"
import * as Comment from "../../../../src/Layers/Database/Statement/Comment.ts"
import { all, type Backend, onEach } from "../backends.ts"

class TextsApi extends HttpApiGroup.make("texts").add(
  HttpApiEndpoint.get("read", "/texts/:id", {
    params: { id: Schema.Int },
    success: Schema.Array(Schema.String)
  }),
  HttpApiEndpoint.get("transacted", "/transacted/:id", {
    params: { id: Schema.Int },
    success: Schema.Array(Schema.String)
  }).annotate(Database.Transactional, true)
) {}

/** Returns the text of a statement as the database has got it, for each way to run one. */
const texts = (backend: Backend, id: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const statement =
      backend.kind === "mysql"
        ? sql<{ text: string }>`select info as text from information_schema.processlist
            where id = connection_id() and 0 < ${id}`
        : sql<{ text: string }>`select current_query() as text where 0 < ${id}::int`
    const rows = [
      ...(yield* statement),
      ...(yield* statement.unprepared),
      ...(yield* Stream.runCollect(statement.stream))
    ]
    return rows.map(({ text }) => text)
  }).pipe(Effect.orDie)

const textsPlugin = (backend: Backend) =>
  Plugin.make("test:texts", {
    requires: [SqlClient],
    routes: [
      Route.public(
        TextsApi,
        Effect.fnUntraced(function* (handlers) {
          const sql = yield* SqlClient
          const read = ({ params }: { readonly params: { readonly id: number } }) =>
            Effect.provideService(texts(backend, params.id), SqlClient, sql)
          return handlers.handleAll({ read, transacted: read })
        })
      )
    ]
  })

/** The comment at the end of a text; undefined if it has none. */
const commentOf = (text: string) => /\/\*.*\*\/$/.exec(text.trim())?.[0]

onEach(all, "The comment of a statement", (backend) => {
  const asked = (comments: boolean) =>
    Effect.gen(function* () {
      const url = yield* backend.fresh
      const test = yield* TestApp.make(
        App.make("my shop", [Database.plugin, textsPlugin(backend)]),
        { config: { database: { comments, maxConnections: 1, url } } }
      )
      const get = (path: string) =>
        Effect.map(
          test.get(path),
          (reply) => JSON.parse(reply.expectStatus(200).text) as ReadonlyArray<string>
        )
      return {
        outside: test.run(texts(backend, 1)),
        read: [...(yield* get("/texts/1")), ...(yield* get("/texts/2"))],
        test,
        transacted: yield* get("/transacted/1")
      }
    })

  it("names the app and the route, and is the same for each request of a route", () =>
    Effect.gen(function* () {
      const { outside, read, test, transacted } = yield* asked(true)
      const application = "application='my%20shop'"
      expect(new Set(read.map(commentOf))).toEqual(
        new Set([`/*${application},route='%2Ftexts%2F%3Aid'*/`])
      )
      expect(read).toHaveLength(6)
      expect(transacted.map(commentOf)).toEqual(
        Array.from({ length: 3 }, () => `/*${application},route='%2Ftransacted%2F%3Aid'*/`)
      )
      expect((yield* outside).map(commentOf)).toEqual(
        Array.from({ length: 3 }, () => `/*${application}*/`)
      )
      if (backend.kind !== "mysql") {
        const sql = yield* SqlClient.pipe(test.run)
        const prepared = yield* sql<{ statement: string }>`
          select statement from pg_prepared_statements where statement like ${"%current_query%"}`
        // One for each of the two routes, and one outside of both.
        expect(new Set(prepared.map((one) => commentOf(one.statement))).size).toBe(3)
        expect(prepared).toHaveLength(3)
      }
    }).pipe(Effect.scoped, Effect.runPromise))

  it("is not there without database.comments", () =>
    Effect.gen(function* () {
      const { read } = yield* asked(false)
      expect(read.map(commentOf)).toEqual(read.map(() => undefined))
    }).pipe(Effect.scoped, Effect.runPromise))
})

it("a comment has no character that could end it", () => {
  const hostile = "*/ drop table items; -- ' \\ \n \ud800 é"
  const comment = Effect.runSync(
    Effect.withFiber((fiber) => Effect.succeed(Comment.make(hostile)(fiber)))
  )
  expect(comment).toBe(
    " /*application='%2A%2F%20drop%20table%20items%3B%20--%20%27%20%5C%20%0A%20%EF%BF%BD%20%C3%A9'*/"
  )
})
