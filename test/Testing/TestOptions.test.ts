import { existsSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { App, AppRuntime, Plugin } from "flange"
import { type Options, TestApp, TestOptionsError } from "flange/Testing"
import { app, Greeter, GreeterPlugin, GreetPlugin } from "./fixtures.ts"

const greetsLoudly = Layer.succeed(Greeter, {
  greet: (name) => Effect.succeed(name.toUpperCase())
})

describe("configuration", () => {
  const greeting = (options: Options) =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app, { ...options, replace: [] })
      return (yield* test.get("/greet/Ada")).json
    })

  it.effect("is read from neither the environment nor files", () =>
    Effect.gen(function* () {
      process.env["FLANGE__GREETER__GREETING"] = "Process"
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          delete process.env["FLANGE__GREETER__GREETING"]
        })
      )
      const fromFile = App.make("greet", [GreeterPlugin, GreetPlugin], {
        config: { file: "/nowhere/flange.toml" }
      })
      const test = yield* TestApp.make(fromFile)
      ;(yield* test.get("/greet/Ada")).expectJson("Hello, Ada")
    })
  )

  it.effect("comes from the given options, and `config` overrides the others", () =>
    Effect.gen(function* () {
      expect(yield* greeting({ config: { greeter: { greeting: "Config" } } })).toBe("Config, Ada")
      expect(yield* greeting({ values: { greeter: { greeting: "Values" } } })).toBe("Values, Ada")
      const variables = { FLANGE__GREETER__GREETING: "Variable" }
      expect(yield* greeting({ variables })).toBe("Variable, Ada")
      expect(yield* greeting({ config: { greeter: { greeting: "Config" } }, variables })).toBe(
        "Config, Ada"
      )
    })
  )

  it.effect("comes from the named file or folder", () =>
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "flange-"))),
        (folder) => Effect.promise(() => rm(folder, { recursive: true }))
      )
      const file = join(directory, "flange.toml")
      yield* Effect.promise(() => writeFile(file, '[greeter]\ngreeting = "File"\n'))
      expect(existsSync(file)).toBe(true)
      expect(yield* greeting({ file })).toBe("File, Ada")
      expect(yield* greeting({ directory })).toBe("File, Ada")
    })
  )

  it.effect("has the values of the app's code, with the overlay of the environment", () =>
    Effect.gen(function* () {
      const inCode = App.make("greet", [GreeterPlugin, GreetPlugin], {
        config: {
          values: {
            env: "production",
            environments: {
              production: { greeter: { greeting: "Production" } },
              test: { greeter: { greeting: "Test" } }
            }
          }
        }
      })
      const test = yield* TestApp.make(inCode)
      ;(yield* test.get("/greet/Ada")).expectJson("Test, Ada")
      const production = yield* TestApp.make(inCode, { environment: "production" })
      ;(yield* production.get("/greet/Ada")).expectJson("Production, Ada")
      const named = yield* TestApp.make(inCode, { variables: { FLANGE_ENV: "staging" } })
      expect((yield* named.run(AppRuntime)).environment).toBe("staging")
    })
  )

  it.effect("that is refused fails the boot with ConfigError", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(TestApp.make(app, { config: { greeter: { greeting: 1 } } }))
      expect(error).toMatchObject({ _tag: "ConfigError" })
    })
  )
})

describe("replacement", () => {
  it.effect("by a layer keeps the plugin's routes and runs them on its services", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app, { replace: [[GreeterPlugin, greetsLoudly]] })
      ;(yield* test.get("/greet/Ada")).expectJson("ADA")
      const real = yield* TestApp.make(app, { replace: [["test:greeter", Greeter.layer]] })
      ;(yield* real.get("/greet/Ada")).expectJson("Hello, Ada")
    })
  )

  it.effect("by a plugin keeps the place and the id of the replaced plugin", () =>
    Effect.gen(function* () {
      const Fake = Plugin.make("fake:greeter", { layer: greetsLoudly, provides: [Greeter] })
      const ordered = App.make("greet", [
        GreeterPlugin,
        GreetPlugin,
        Plugin.make("test:after", { order: { after: [GreeterPlugin] } })
      ])
      const test = yield* TestApp.make(ordered, { replace: [["test:greeter", Fake]] })
      ;(yield* test.get("/greet/Ada")).expectJson("ADA")
      const { description } = yield* test.run(AppRuntime)
      expect(description.plugins.map(({ id }) => id)).toContain("test:greeter")
    })
  )

  it.effect(
    "that lacks a service is refused, a plugin before boot and a layer while it is built",
    () =>
      Effect.gen(function* () {
        const Empty = Plugin.make("fake:empty", {})
        const refused = yield* Effect.flip(
          TestApp.make(app, { replace: [["test:greeter", Empty]] })
        )
        expect(refused).toBeInstanceOf(TestOptionsError)
        expect(String(refused)).toContain(
          '`replace` replaces plugin "test:greeter" by "fake:empty", which does not provide test/Greeter'
        )
        const built = yield* Effect.flip(
          TestApp.make(app, { replace: [["test:greeter", Layer.empty]] })
        )
        expect(String(built)).toContain(
          '`replace` gives plugin "test:greeter" a layer that does not provide test/Greeter'
        )
      })
  )
})

describe("contradictory options", () => {
  const cases: ReadonlyArray<readonly [string, object, ReadonlyArray<string>]> = [
    [
      "config and values",
      { config: { greeter: { greeting: "a" } }, values: { greeter: { greeting: "b" } } },
      ["`config.greeter.greeting`", "`values.greeter.greeting`"]
    ],
    [
      "environment and FLANGE_ENV",
      { environment: "test", variables: { FLANGE_ENV: "test" } },
      ["`environment`", "`variables.FLANGE_ENV`"]
    ],
    [
      "environment and values.env",
      { environment: "test", values: { env: "test" } },
      ["`environment`", "`values.env`"]
    ],
    ["file and directory", { directory: ".", file: "a.toml" }, ["`file`", "`directory`"]],
    ["file and values", { file: "a.toml", values: {} }, ["`file`", "`values`"]],
    ["directory and values", { directory: ".", values: {} }, ["`directory`", "`values`"]],
    [
      "replace and the app",
      { replace: [["test:greeterr", greetsLoudly]] },
      ['"test:greeterr"', 'Did you mean "test:greeter"?']
    ],
    [
      "replace and replace",
      {
        replace: [
          [GreeterPlugin, greetsLoudly],
          ["test:greeter", greetsLoudly]
        ]
      },
      ['"test:greeter" twice']
    ]
  ]
  it.effect.each(cases)("%s are refused with both names", ([, options, names]) =>
    Effect.gen(function* () {
      for (const make of [TestApp.make, TestApp.listening]) {
        const error = yield* Effect.flip(make(app, options))
        expect(error).toBeInstanceOf(TestOptionsError)
        for (const name of names) expect(String(error)).toContain(name)
      }
    })
  )

  it.effect("are reported together", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        TestApp.make(app, {
          directory: ".",
          file: "a.toml",
          replace: [["test:nothing", Layer.empty]],
          values: {}
        })
      )
      expect(error).toMatchObject({ app: "greet", problems: { length: 3 } })
    })
  )

  const requests: ReadonlyArray<readonly [string, string, string, object, ReadonlyArray<string>]> =
    [
      ["json and body", "POST", "/echo", { body: "{}", json: {} }, ["`json` and `body`"]],
      ["GET and a body", "GET", "/now", { json: {} }, ["method GET", "`json`"]],
      [
        "query and the path",
        "GET",
        "/query?tag=a",
        { query: { tag: "b" } },
        ["`query`", "/query?tag=a"]
      ],
      ["a path without a slash", "GET", "now", {}, ['write "/now"']]
    ]
  it.effect.each(requests)(
    "of a request, %s, are refused with both names",
    ([, method, path, options, names]) =>
      Effect.gen(function* () {
        const test = yield* TestApp.make(app)
        const exit = yield* Effect.exit(test.request(method, path, options))
        expect(Exit.hasDies(exit)).toBe(true)
        for (const name of names) expect(String(exit)).toContain(name)
      })
  )
})
