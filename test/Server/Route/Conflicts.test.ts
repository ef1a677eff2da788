/** Routes that cannot be, or that other routes hide, are problems of assembly. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { App, type AssemblyError, Plugin, Route } from "flange"
import { assert, describe, it } from "vitest"

const text = Schema.String

/** An endpoint whose reply names it. Its parameters are those of its path. */
const get = (path: string, ...names: ReadonlyArray<string>) =>
  HttpApiEndpoint.get(path, path as "/", {
    ...(names.length === 0
      ? {}
      : {
          params: Object.fromEntries(names.map((name) => [name, Schema.optionalKey(text)])) as {}
        }),
    success: text
  })

interface Handlers {
  readonly handleAll: (handlers: Readonly<Record<string, () => Effect.Effect<string>>>) => never
}

/** A plugin with one group of these endpoints. */
const contract = (id: string, ...endpoints: ReadonlyArray<HttpApiEndpoint.Constraint>) =>
  Plugin.make(`app:${id}`, {
    routes: [
      Route.public(HttpApiGroup.make(id).add(...(endpoints as [never])), (handlers) =>
        // The types of a group that is made in a test are unknown.
        (handlers as never as Handlers).handleAll(
          Object.fromEntries(
            endpoints.map(({ identifier }) => [identifier, () => Effect.succeed(identifier)])
          )
        )
      ) as never
    ]
  }) as Plugin.Any

/** A plugin with one group of plain routes, such as `GET /a`. */
const raw = (id: string, ...routes: ReadonlyArray<string>) =>
  Plugin.make(`app:${id}`, {
    routes: [
      Route.raw(
        id,
        Layer.mergeAll(
          ...(routes.map((route) => {
            const [method, path] = route.split(" ") as ["GET", "/"]
            return HttpRouter.add(method, path, HttpServerResponse.jsonUnsafe(`${id} ${route}`))
          }) as [never])
        ),
        { access: "public" }
      )
    ]
  }) as Plugin.Any

const make = (...plugins: ReadonlyArray<Plugin.Any>) =>
  App.toWebHandler(
    App.make("shop", plugins as never, { config: { values: {}, variables: {} } }) as App.Any
  )

/** Boots an app and returns its problems. */
const problemsOf = async (...plugins: ReadonlyArray<Plugin.Any>) => {
  const web = make(...plugins)
  const error = await web.handler(new Request("http://app/")).then(
    () => undefined,
    (error: AssemblyError) => error
  )
  await web.dispose()
  if (error !== undefined) assert.strictEqual(error._tag, "AssemblyError", String(error))
  return error?.problems ?? []
}

describe("routes that take the same requests are a problem", () => {
  it.each<[string, Plugin.Any, Plugin.Any, string]>([
    ["one path", contract("a", get("/x")), contract("b", get("/x")), "Change one of the paths"],
    [
      "names of parameters",
      contract("a", get("/x/:a", "a")),
      contract("b", get("/x/:b", "b")),
      "Change one of the paths"
    ],
    [
      "an optional parameter and its path without it",
      contract("a", get("/x/:id?", "id")),
      contract("b", get("/x")),
      "leave out the ?"
    ],
    [
      "an optional parameter at the root",
      contract("a", get("/:id?", "id")),
      contract("b", get("/")),
      "leave out the ?"
    ],
    [
      "an optional parameter and another parameter",
      contract("a", get("/x/:id?", "id")),
      contract("b", get("/x/:x", "x")),
      "Change one of the paths"
    ],
    [
      "two optional parameters",
      contract("a", get("/x/:id?", "id")),
      contract("b", get("/x/:x?", "x")),
      "Change one of the paths"
    ],
    [
      "wildcards at the root",
      contract("a", get("/*", "*")),
      contract("b", get("/*")),
      "Change one of the paths"
    ],
    [
      "a parameter that takes everything",
      contract("a", get("/files/:rest(.*)", "rest")),
      contract("b", get("/files/:name", "name")),
      "one pattern for a place"
    ],
    [
      "patterns at one place",
      contract("a", get("/orders/:number(\\d+)", "number")),
      contract("b", get("/orders/:slug([a-z]+)", "slug")),
      "one pattern for a place"
    ],
    [
      "patterns beside the same text",
      contract("a", get("/v/:a-:b", "a", "b")),
      contract("b", get("/v/:a(\\d+)-:b", "a", "b")),
      "one pattern for a place"
    ],
    ["roots of plain routers", raw("a", "GET /*"), raw("b", "GET /*"), "Change one of the paths"],
    ["roots for every method", raw("a", "* /*"), raw("b", "* /*"), "Change one of the paths"],
    ["a root in two spellings", raw("a", "GET *"), raw("b", "GET /*"), "Change one of the paths"],
    ["every method and one", raw("a", "* /x"), contract("b", get("/x")), "every method"],
    ["one method and every", raw("a", "GET /x"), raw("b", "* /x"), "every method"],
    [
      "a mounted router and its root",
      raw("a", "* /docs/*"),
      contract("b", get("/docs")),
      "without /* as well"
    ],
    ["a plain route", raw("a", "GET /x/:a"), contract("b", get("/x/:b", "b")), "Change one"]
  ])("by %s, in either order", async (_, a, b, advice) => {
    for (const plugins of [
      [a, b],
      [b, a]
    ]) {
      const problems = await problemsOf(...plugins)
      assert.strictEqual(problems.length, 1, JSON.stringify(problems))
      const [{ kind, message, plugins: ids }] = problems as [(typeof problems)[0]]
      assert.strictEqual(kind, "RouteConflict")
      assert.sameMembers([...ids], ["app:a", "app:b"])
      assert.match(message, /plugin "app:a"/)
      assert.match(message, /plugin "app:b"/)
      assert.match(message, /group "a"/)
      assert.match(message, /group "b"/)
      assert.include(message, advice)
    }
  })

  it("inside one plain router, whose wildcard takes its root as well", async () => {
    for (const [a, b] of [
      ["GET /f/*", "GET /f"],
      ["GET /f", "GET /f"],
      ["GET /f/:x", "GET /f/:y"]
    ]) {
      const problems = await problemsOf(raw("a", a!, b!))
      assert.deepStrictEqual(
        problems.map(({ kind, plugins }) => [kind, plugins]),
        [["RouteConflict", ["app:a", "app:a"]]]
      )
    }
  })

  it("names method, path, endpoint, group and plugin of both, and what to write", async () => {
    const [problem] = await problemsOf(
      contract("items", get("/items/:id?", "id")),
      contract("shop", get("/items"))
    )
    assert.deepStrictEqual(problem, {
      kind: "RouteConflict",
      message:
        'Route GET /items ("/items" of group "shop", plugin "app:shop") takes the same requests as GET /items/:id? ("/items/:id?" of group "items", plugin "app:items"). /items/:id? takes the path without its parameter as well: leave out the ?, or one of the routes.',
      plugins: ["app:items", "app:shop"]
    })
  })
})

describe("a path that cannot be routed is a problem", () => {
  const paths: ReadonlyArray<[string, string, ReadonlyArray<string>?]> = [
    ["x", "Start it with /"],
    ["/a//b", "Write one slash"],
    ["//a", "Write one slash"],
    ["/a//", "Write one slash"],
    ["/a/../b", "Leave out . and .."],
    ["/a/.", "Leave out . and .."],
    ["/a?b=c", "Put ? behind a last parameter"],
    ["/a?", "Put ? behind a last parameter"],
    ["/a#b", "Leave out #"],
    ["/a;b", "Leave out ;"],
    ["/caf%C3%A9", "without percent-encoding"],
    ["/a/:", "Write a name behind the colon"],
    ["/a/:/b", "Write a name behind the colon"],
    ["/a/**", "Put * at the end"],
    ["/a/*/b", "Put * at the end"],
    ["/*a", "Put * at the end"],
    ["/:a:b", "", ["a", "b"]],
    ["/:a:b", ""],
    ["/:a*", "", ["a", "*"]],
    ["/:a-*", "Put / between a parameter and *", ["a", "*"]],
    ["/:a/:a", 'two parameters "a"', ["a"]],
    ["/:a?/b", "can be optional", ["a"]],
    ["/x-:a?", "can be optional", ["a"]],
    ["/:a(\\d+)?", "can be optional", ["a"]],
    ["/:a(\\d+", "Close the parenthesis", ["a"]],
    ["/:a([)", "", ["a"]],
    ["/:a(*)", "Correct the regular expression", ["a"]],
    ["/:a((x)|y)/:b", "Write (?:...)", ["a", "b"]]
  ]

  it.each(paths)("%s in a contract: %s %o", async (path, advice, names = []) => {
    const problems = await problemsOf(contract("a", get(path, ...names)))
    assert.strictEqual(problems.length, 1, JSON.stringify(problems))
    const { kind, message, plugins } = problems[0]!
    assert.strictEqual(kind, "InvalidRoute")
    assert.deepStrictEqual(plugins, ["app:a"])
    assert.include(message, `GET ${path} ("${path}" of group "a", plugin "app:a")`)
    assert.include(message, advice)
  })

  it.each(paths.filter(([, , names]) => names === undefined))(
    "%s in a plain router: %s",
    async (path, advice) => {
      const problems = await problemsOf(raw("a", `GET ${path}`))
      assert.strictEqual(problems.length, 1, JSON.stringify(problems))
      assert.strictEqual(problems[0]!.kind, "InvalidRoute")
      assert.include(problems[0]!.message, `GET ${path} (group "a", plugin "app:a")`)
      assert.include(problems[0]!.message, advice)
    }
  )
})

describe("all problems of routes are in one report", () => {
  it("of contracts, before anything is acquired", async () => {
    let isAcquired = false
    const Acquired = Plugin.make("app:acquired", {
      layer: Layer.effectDiscard(Effect.sync(() => void (isAcquired = true)))
    })
    const problems = await problemsOf(
      Acquired as Plugin.Any,
      contract("a", get("/x"), get("/a/:"), get("/y/:id?", "id")),
      contract("b", get("/x"), get("/y"), get("/**"))
    )
    assert.deepStrictEqual(
      problems.map(({ kind }) => kind),
      ["InvalidRoute", "RouteConflict", "RouteConflict", "InvalidRoute"]
    )
    assert.isFalse(isAcquired)
  })

  it("of plain routers, once their routes are known", async () => {
    const problems = await problemsOf(
      raw("a", "GET /x", "GET /x", "GET /a/:", "GET /y"),
      raw("b", "GET /y", "POST /**"),
      contract("c", get("/x"))
    )
    assert.deepStrictEqual(
      problems.map(({ kind }) => kind),
      [
        "RouteConflict",
        "InvalidRoute",
        "RouteConflict",
        "InvalidRoute",
        "RouteConflict",
        "RouteConflict"
      ]
    )
  })
})

describe("routes with different paths are found by precedence: text, pattern, parameter, wildcard", () => {
  it("in contracts and plain routers, whatever the order of the plugins", async () => {
    const plugins = [
      raw("all", "GET /*", "POST /*"),
      contract("rest", get("/files/*", "*")),
      contract("one", get("/files/:name", "name"), get("/files/:name.json", "name")),
      contract("number", get("/files/:number(\\d+)", "number")),
      contract("text", get("/files/new"), get("/files"), get("/:a/b", "a"), get("/c/:d", "d")),
      raw("mounted", "* /api/*"),
      contract("inside", get("/api/items"), get("/api/items/:id", "id")),
      raw("cased", "GET /items", "GET /Items", "GET /ITEMS/:id", "GET /items/:id"),
      contract("colon", get("/things/:id::cancel", "id"), get("/things/:id", "id"), get("/a::b"))
    ]
    for (const order of [plugins, plugins.toReversed()]) {
      const web = make(...order)
      const ask = async (path: string, method = "GET") =>
        (await web.handler(new Request(`http://app${path}`, { method }))).json()
      const replies = {
        "/": "all GET /*",
        "/API/items": "all GET /*",
        "/ITEMS/1": "cased GET /ITEMS/:id",
        "/Items": "cased GET /Items",
        "/a:b": "/a::b",
        "/api": "mounted * /api/*",
        "/api/items": "/api/items",
        "/api/items/": "mounted * /api/*",
        "/api/items/1": "/api/items/:id",
        "/api/items/1/x": "mounted * /api/*",
        "/c/b": "/c/:d",
        "/files": "/files",
        "/files/": "/files/*",
        "/files/12": "/files/:number(\\d+)",
        "/files/a": "/files/:name",
        "/files/a.json": "/files/:name.json",
        "/files/a/b": "/files/*",
        "/files/new": "/files/new",
        "/items": "cased GET /items",
        "/items/1": "cased GET /items/:id",
        "/things/1": "/things/:id",
        "/things/1:cancel": "/things/:id::cancel",
        "/x/b": "/:a/b"
      }
      for (const [path, reply] of Object.entries(replies)) {
        assert.strictEqual(await ask(path), reply, path)
      }
      assert.strictEqual(await ask("/api/items", "POST"), "mounted * /api/*")
      assert.strictEqual(await ask("/files/new", "POST"), "all POST /*")
      await web.dispose()
    }
  })
})
