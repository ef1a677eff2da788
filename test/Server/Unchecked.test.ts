/** Mistakes that the types refuse, in programs that Node runs without them. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { ApiError, App, Created, Plugin, Route } from "flange"
import { TestApp } from "flange/Testing"
import { AssemblyError } from "../../src/Plugin/Errors.ts"
import * as WebListener from "../../src/Server/Listener/Web/WebListener.ts"

class Db extends Context.Service<Db, { readonly query: () => string }>()("app/Db") {}
class Repo extends Context.Service<Repo, { readonly read: () => string }>()("app/Repo") {}

const dbLayer = Layer.succeed(Db, { query: () => "" })
const repoLayer = Layer.effect(
  Repo,
  Effect.map(Db, ({ query }) => ({ read: query }))
)

class RoomsApi extends HttpApiGroup.make("rooms").add(
  HttpApiEndpoint.get("list", "/rooms", { success: Schema.String }),
  HttpApiEndpoint.get("read", "/rooms/:id", { success: Schema.String })
) {}

class DesksApi extends HttpApiGroup.make("desks").add(
  HttpApiEndpoint.get("list", "/desks", { success: Schema.String })
) {}

const list = () => Effect.succeed("")

/** Returns the problems for which an app does not boot. */
const problemsOf = (...plugins: ReadonlyArray<Plugin.Any>) =>
  // The types would refuse the app.
  App.boot(App.make("shop", plugins as never) as App.Any, {
    listener: WebListener.make(() => {})
  }).pipe(
    Effect.scoped,
    Effect.provide(NodeServices.layer),
    Effect.flip,
    Effect.map((error) => {
      expect(error).toBeInstanceOf(AssemblyError)
      return (error as AssemblyError).problems.map(({ kind, message }) => `${kind}: ${message}`)
    })
  )

it.effect("missing handlers of all groups are one report", () =>
  Effect.gen(function* () {
    const problems = yield* problemsOf(
      Plugin.make("app:rooms", {
        routes: [
          Route.public(RoomsApi, ((handlers: { handleAll: (all: object) => unknown }) =>
            handlers.handleAll({ read: list })) as never)
        ]
      } as never),
      Plugin.make("app:desks", {
        routes: [Route.public(DesksApi, (() => Effect.succeed(undefined)) as never)]
      } as never)
    )
    expect(problems).toEqual([
      'UnfitHandlers: Endpoint "rooms.list" has no handler. Add `list` to `handlers.handleAll`.',
      'UnfitHandlers: The function of group "desks" does not return its handlers. Write `return handlers.handleAll({ ... })`.'
    ])
  })
)

it.effect("a handler that is an Effect, and an async build, are refused", () =>
  Effect.gen(function* () {
    const problems = yield* problemsOf(
      Plugin.make("app:rooms", {
        routes: [
          Route.public(RoomsApi, ((handlers: { handleAll: (all: object) => unknown }) =>
            handlers.handleAll({ list, read: { handler: Effect.succeed("") } })) as never)
        ]
      } as never),
      Plugin.make("app:desks", {
        routes: [Route.public(DesksApi, (async () => undefined) as never)]
      } as never)
    )
    expect(problems).toEqual([
      'UnfitHandlers: The handler of endpoint "rooms.read" is not a function. Write a function that returns an Effect.',
      'UnfitHandlers: The function of group "desks" does not return its handlers. Write `return handlers.handleAll({ ... })`.'
    ])
  })
)

it.effect("a service that a layer uses and no list names is named", () =>
  Effect.gen(function* () {
    const RepoPlugin = Plugin.make("app:repo", { layer: repoLayer, provides: [Repo] } as never)
    const DbPlugin = Plugin.make("app:db", { layer: dbLayer, provides: [Db] })
    expect(yield* problemsOf(RepoPlugin)).toEqual([
      'MissingService: Plugin "app:repo" uses service "app/Db", which no plugin provides. Add a plugin that lists it in `provides`, and add it to `requires` of "app:repo".'
    ])
    expect(yield* problemsOf(RepoPlugin, DbPlugin)).toEqual([
      'MissingService: Plugin "app:repo" uses service "app/Db" of plugin "app:db", which is acquired later. Add it to `requires` of "app:repo".'
    ])
  })
)

it.effect("a service that the setup of handlers and ready use is named", () =>
  Effect.gen(function* () {
    const missing =
      'uses service "app/Db", which no plugin provides. Add a plugin that lists it in `provides`, and add it to `requires` of'
    const handlers = Effect.flatMap(Db, () => Effect.die("unreachable"))
    expect(
      yield* problemsOf(
        Plugin.make("app:desks", {
          routes: [Route.public(DesksApi, (() => handlers) as never)]
        } as never)
      )
    ).toEqual([`MissingService: Plugin "app:desks" ${missing} "app:desks".`])
    expect(
      yield* problemsOf(Plugin.make("app:late", { ready: () => Effect.asVoid(Db) } as never))
    ).toEqual([`MissingService: Plugin "app:late" ${missing} "app:late".`])
  })
)

it.effect("a service that is listed in provides and not provided is named", () =>
  Effect.gen(function* () {
    expect(
      yield* problemsOf(
        Plugin.make("app:db", { provides: [Db] } as never),
        Plugin.make("app:repo", { layer: repoLayer, provides: [Repo], requires: [Db] })
      )
    ).toEqual([
      'MissingService: Plugin "app:db" lists service "app/Db" in `provides`, but its layer does not provide it. Add it to the layer.'
    ])
  })
)

it.effect("problems that only follow from a duplicate id are left out", () =>
  Effect.gen(function* () {
    const desks = Plugin.make("app:desks", {
      routes: [Route.public(DesksApi, (handlers) => handlers.handleAll({ list }))]
    })
    expect(yield* problemsOf(desks, desks)).toEqual([
      'DuplicateId: Plugin "app:desks" is in the list 2 times. Ids are unique: remove it or give it another id.'
    ])
    expect(
      yield* problemsOf(
        Plugin.make("app:store", {}),
        Plugin.make("app:store", { layer: dbLayer, provides: [Db] }),
        Plugin.make("app:repo", { layer: repoLayer, provides: [Repo], requires: [Db] })
      )
    ).toEqual([
      'DuplicateId: Plugin "app:store" is in the list 2 times. Ids are unique: remove it or give it another id.'
    ])
  })
)

class NoRoom extends ApiError.make<NoRoom>()("NoRoom", {
  code: "NO_ROOM",
  detail: "There is no room",
  status: 409
}) {}

it.live("an error that the contract does not declare is named with what to write", () =>
  Effect.gen(function* () {
    const streamed = HttpApiEndpoint.get("streamed", "/streamed", {
      success: HttpApiSchema.StreamUint8Array()
    })
    const values = HttpApiEndpoint.get("values", "/values/:kind", {
      error: NoRoom,
      params: { kind: Schema.String },
      success: Schema.String
    })
    const failures: Record<string, unknown> = {
      class: new (class Taken extends Error {
        readonly _tag = "Taken"
      })("The room is taken"),
      text: "taken"
    }
    const app = App.make("shop", [
      Plugin.make("app:rooms", {
        routes: [
          Route.public(HttpApiGroup.make("rooms").add(streamed, values), (handlers) =>
            handlers.handleAll({
              // The types refuse both.
              streamed: (() => Effect.fail(failures["class"])) as never as () => Effect.Effect<
                Stream.Stream<Uint8Array>
              >,
              values: (({ params }: { readonly params: { readonly kind: string } }) =>
                Effect.fail(failures[params.kind])) as never as () => Effect.Effect<string>
            })
          )
        ]
      })
    ])
    const test = yield* TestApp.make(app)
    for (const [path, endpoint, name] of [
      ["/streamed", "rooms.streamed", "Taken"],
      ["/values/class", "rooms.values", "Taken"],
      ["/values/text", "rooms.values", "taken"]
    ] as const) {
      const reply = yield* test.get(path)
      reply.expectProblem("INTERNAL_ERROR", 500)
      const entry = test.logs.filter(({ cause }) => cause !== undefined).at(-1)
      expect(String(entry?.cause)).toContain(
        `The handler of ${endpoint} failed with ${name}, which its contract does not declare. Add it to \`error\` of the endpoint`
      )
    }
  })
)

it.live("a handler that returns no Effect is named with what to write", () =>
  Effect.gen(function* () {
    const app = App.make("shop", [
      Plugin.make("app:rooms", {
        routes: [
          Route.public(RoomsApi, (handlers) =>
            // The types refuse both.
            handlers.handleAll({
              list: (() => Promise.resolve("")) as never as typeof list,
              read: (() => "") as never as typeof list
            })
          )
        ]
      })
    ])
    const test = yield* TestApp.make(app)
    for (const [path, said] of [
      [
        "/rooms",
        "The handler of rooms.list returned a promise, not an Effect. Write `Effect.promise"
      ],
      ["/rooms/1", "The handler of rooms.read returned no Effect. Write `Effect.succeed(value)`."]
    ] as const) {
      const reply = yield* test.get(path)
      reply.expectProblem("INTERNAL_ERROR", 500)
      const entry = test.logs.filter(({ cause }) => cause !== undefined).at(-1)
      expect(String(entry?.cause)).toContain(said)
    }
  })
)

it.live("a value that does not fit the contract is named with its endpoint and the reason", () =>
  Effect.gen(function* () {
    const Room = Schema.Struct({ beds: Schema.Array(Schema.Int), name: Schema.NonEmptyString })
    const api = HttpApiGroup.make("rooms").add(
      HttpApiEndpoint.get("created", "/created", { success: Created(Room) }),
      HttpApiEndpoint.get("read", "/read", { success: Room }),
      HttpApiEndpoint.get("text", "/text", {
        success: Schema.NonEmptyString.pipe(HttpApiSchema.asText())
      })
    )
    const wrong = { beds: [1, 2.5], name: "" }
    const app = App.make("shop", [
      Plugin.make("app:rooms", {
        routes: [
          Route.public(api, (handlers) =>
            handlers.handleAll({
              created: () => Effect.succeed(Created.at("/rooms/1", wrong)),
              read: () => Effect.succeed(wrong),
              text: () => Effect.succeed("")
            })
          )
        ]
      })
    ])
    const test = yield* TestApp.make(app)
    for (const name of ["created", "read", "text"]) {
      const reply = yield* test.get(`/${name}`)
      reply.expectProblem("INTERNAL_ERROR", 500)
      const entry = test.logs.filter(({ cause }) => cause !== undefined).at(-1)
      const text = String(entry?.cause)
      expect(text).toContain(
        `The handler of rooms.${name} returned a value that does not fit \`success\` in its contract: Expected `
      )
      expect(text).toContain("Return a value that fits, or change the contract.")
      expect(text).not.toContain("HttpApiSchemaError")
    }
  })
)
