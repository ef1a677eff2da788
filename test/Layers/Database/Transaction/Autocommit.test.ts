/** An app whose endpoints write says whether they run in a transaction. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { App, type AssemblyError, Plugin, Route } from "flange"
import * as Database from "flange/Database"
import { describe, expect, it } from "vitest"

const read = HttpApiEndpoint.get("read", "/rooms")
const book = HttpApiEndpoint.post("book", "/rooms")
const change = HttpApiEndpoint.patch("change", "/rooms/1")
const close = HttpApiEndpoint.delete("close", "/rooms/1")
const open = HttpApiEndpoint.put("open", "/rooms/1")
const rooms = HttpApiGroup.make("rooms")

const routes = { bare: Route.bare, public: Route.public }

/** A plugin with one group. Its handlers never run: the app is not acquired. */
const plugin = (group: HttpApiGroup.Constraint, access: keyof typeof routes = "public") =>
  Plugin.make("app:rooms", {
    routes: [
      // The types of a group that is made in a test are unknown.
      (routes[access] as (group: unknown, build: unknown) => never)(
        group,
        (handlers: unknown) => handlers
      )
    ]
  }) as Plugin.Any

const problemsOf = async (...plugins: ReadonlyArray<Plugin.Any>) => {
  const app = App.make("test", [Database.plugin, ...plugins] as never)
  const error = await Effect.runPromise(
    Effect.flip(
      Effect.scoped(
        App.boot(app as never, {
          listener: (() => Effect.die("The app was acquired")) as never
        }) as Effect.Effect<never, AssemblyError>
      )
      // An app without problems has no file system to read its configuration from.
    ).pipe(Effect.catchDefect(() => Effect.succeed({ problems: [] })))
  )
  return error.problems
}

describe("an app with endpoints that write", () => {
  it("and without a choice is a problem that names them", async () => {
    const group = rooms.add(read, book, close, change, open)
    const [problem, ...more] = await problemsOf(plugin(group))
    expect(more).toEqual([])
    expect(problem).toEqual({
      kind: "UndecidedTransaction",
      message:
        'Nothing says whether these endpoints run in a transaction: POST /rooms ("book" of group "rooms", plugin "app:rooms"), DELETE /rooms/1 ("close" of group "rooms", plugin "app:rooms"), PATCH /rooms/1 ("change" of group "rooms", plugin "app:rooms"), and 1 more. Add Database.transactional() to the plugins of the app, or Database.autocommit if each statement is to commit by itself.',
      plugins: ["flange:database"]
    })
  })

  it("and with one that is not annotated is a problem that names this one", async () => {
    const [problem, ...more] = await problemsOf(
      plugin(
        rooms.add(
          book.annotate(Database.Transactional, true),
          close.annotate(Database.Transactional, false),
          change
        )
      )
    )
    expect(more).toEqual([])
    expect(problem?.message).toMatch(/: PATCH \/rooms\/1 \([^)]*\)\. Add/)
  })

  it("and with both choices is a problem", async () => {
    const both = [Database.transactional(), Database.autocommit]
    const [problem] = await problemsOf(plugin(rooms.add(book)), ...both)
    expect(problem?.kind).toBe("UndecidedTransaction")
    expect(problem?.message).toMatch(/both Database.transactional\(\) and Database.autocommit/)
  })

  it.each([
    ["transactions", [plugin(rooms.add(book)), Database.transactional()]],
    ["autocommit", [plugin(rooms.add(book)), Database.autocommit]],
    ["an annotated endpoint", [plugin(rooms.add(book.annotate(Database.Transactional, false)))]],
    ["an annotated group", [plugin(rooms.add(book).annotate(Database.Transactional, false))]],
    ["endpoints of a bare group", [plugin(rooms.add(book), "bare")]],
    ["endpoints that only read", [plugin(rooms.add(read))]],
    ["no endpoints", []]
  ])("and with %s has no problem", async (_, plugins) => {
    expect(await problemsOf(...plugins)).toEqual([])
  })
})
