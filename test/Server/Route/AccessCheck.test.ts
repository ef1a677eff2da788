/** Endpoints that other callers may call than their group shows are problems of assembly. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import {
  ApiError,
  App,
  type AssemblyError,
  Authentication,
  type CurrentIdentity,
  Plugin,
  Route
} from "flange"
import * as Auth from "flange/Auth/Contract"
import { assert, describe, it } from "vitest"

const a = HttpApiEndpoint.post("a", "/a")
const b = HttpApiEndpoint.get("b", "/b")
const c = HttpApiEndpoint.get("c", "/c")
const notes = HttpApiGroup.make("notes")
const admin = Auth.requireScopes("admin")

const Staff = Auth.Policy.declare("staff")

class Token extends HttpApiMiddleware.Service<Token>()("test/Token", {
  security: { token: HttpApiSecurity.bearer }
}) {}

class Sealed extends ApiError.make<Sealed>()("Sealed", {
  code: "SEALED",
  detail: "The door is sealed",
  status: 403
}) {}

class Door extends HttpApiMiddleware.Service<Door, { requires: CurrentIdentity }>()("test/Door", {
  error: Sealed
}) {}

class Busy extends HttpApiMiddleware.Service<Busy>()("test/Busy") {}

const routes = {
  bare: Route.bare,
  optional: Route.optional,
  protected: Route.protected,
  public: Route.public
}

/** A plugin with one group. Its handlers never run: the app is not acquired. */
const plugin = (access: keyof typeof routes, group: HttpApiGroup.Constraint, id = "app:notes") =>
  Plugin.make(id, {
    routes: [
      // The types of a group that is made in a test are unknown.
      (routes[access] as (group: unknown, build: unknown) => never)(
        group,
        (handlers: unknown) => handlers
      )
    ]
  }) as Plugin.Any

const problemsOf = async (...plugins: ReadonlyArray<Plugin.Any>) => {
  const error = await Effect.runPromise(
    Effect.flip(
      Effect.scoped(
        App.boot(App.make("test", plugins as never) as never, {
          // No problem of the assembly lets it come to a listener.
          listener: (() => Effect.die("The app was assembled")) as never
        }) as Effect.Effect<never, AssemblyError>
      )
    ).pipe(Effect.catchDefect(() => Effect.succeed({ problems: [] })))
  )
  // No plugin provides the middleware of these contracts.
  return (error as AssemblyError).problems.filter(({ kind }) => kind !== "MissingService")
}

describe("a guard in an open group", () => {
  it.each([
    ["scopes", admin],
    ["a role", Auth.privileged]
  ])("that needs to know the caller is a problem: %s", async (_, guard) => {
    for (const access of ["bare", "public"] as const) {
      const [problem, ...more] = await problemsOf(plugin(access, notes.add(a).middleware(guard)))
      assert.deepStrictEqual(more, [])
      assert.strictEqual(problem!.kind, "AccessMismatch")
      assert.strictEqual(
        problem!.message,
        `POST /a ("a" of group "notes", plugin "app:notes") is in a group of Route.${access}, and a guard of its contract needs to know the caller. Write Route.protected, or remove the guard from the contract.`
      )
    }
  })
})

describe("a guard of a group", () => {
  it.each([
    ["scopes", notes.add(a).middleware(admin).add(b)],
    ["a role", notes.add(a).middleware(Auth.privileged).add(b)],
    ["a policy", notes.add(a).middleware(Staff).add(b)],
    ["a security scheme", notes.add(a).middleware(Token).add(b)],
    ["a middleware that answers 403", notes.add(a).middleware(Door).add(b)],
    ["the guard of an endpoint", notes.add(a.middleware(admin), b)]
  ])("that misses a later endpoint is a problem: %s", async (_, group) => {
    const [problem, ...more] = await problemsOf(plugin("protected", group))
    assert.deepStrictEqual(more, [])
    assert.strictEqual(problem!.kind, "UnguardedEndpoint")
    assert.deepStrictEqual(problem!.plugins, ["app:notes"])
    assert.strictEqual(
      problem!.message,
      'GET /b ("b" of group "notes", plugin "app:notes") has no guard, and the endpoints before it have one ("a" and so on). Middleware of a group applies to the endpoints added before it: move `.middleware(...)` behind the last `.add(...)`, give the endpoint a guard, or write Auth.unguarded(...) around it.'
    )
  })

  it("that misses several later endpoints names each of them", async () => {
    const group = notes.add(a).middleware(admin).add(Auth.unguarded(b)).add(c)
    const problems = await problemsOf(plugin("protected", group))
    assert.deepStrictEqual(
      problems.map(({ message }) => message.slice(0, 6)),
      ["GET /c"]
    )
  })

  it.each([
    ["applies to all", notes.add(a, b).middleware(admin)],
    ["is followed by another guard", notes.add(a).middleware(admin).add(b.middleware(Staff))],
    ["is followed by a marked endpoint", notes.add(a).middleware(admin).add(Auth.unguarded(b))],
    ["follows an endpoint without one", notes.add(a, b.middleware(admin), c)],
    ["is no guard", notes.add(a).middleware(Busy).add(b)]
  ])("that %s is no problem", async (_, group) => {
    assert.deepStrictEqual(await problemsOf(plugin("protected", group)), [])
  })
})

describe("an open group", () => {
  it.each([
    ["public", Authentication.Default, "Route.protected"],
    ["bare", Authentication.middleware("partner"), 'Route.protectedWith("partner")'],
    ["public", Authentication.optionalMiddleware("default"), "Route.optional"]
  ] as const)(
    "of Route.%s whose contract authenticates is a problem",
    async (access, key, instead) => {
      const problems = await problemsOf(plugin(access, notes.add(a, b).middleware(key as never)))
      assert.deepStrictEqual(
        problems.map(({ kind }) => kind),
        ["AccessMismatch", "AccessMismatch"]
      )
      assert.strictEqual(
        problems[0]!.message,
        `POST /a ("a" of group "notes", plugin "app:notes") is in a group of Route.${access}, and its contract authenticates its callers. Write ${instead}, or remove the authentication from the contract.`
      )
    }
  )

  it("may have a contract that authenticates if the group does", async () => {
    const group = notes.add(a, b).middleware(Authentication.Default)
    assert.deepStrictEqual(await problemsOf(plugin("protected", group)), [])
  })
})

describe("two contracts of one name", () => {
  it("are a problem, in one plugin and in two", async () => {
    const first = plugin("public", notes.add(a))
    const second = plugin("public", notes.add(b), "app:other")
    const [problem, ...more] = await problemsOf(first, second)
    assert.deepStrictEqual(more, [])
    assert.deepStrictEqual(
      [problem!.kind, problem!.plugins],
      ["DuplicateGroup", ["app:notes", "app:other"]]
    )
    assert.strictEqual(
      problem!.message,
      'Group "notes" is in plugins "app:notes" and "app:other". The typed client and the OpenAPI document would have only one of them. Give the groups different names in HttpApiGroup.make, or put their endpoints into one.'
    )
  })
})
