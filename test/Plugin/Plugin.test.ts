import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Action, App, Config, HealthCheck, Plugin } from "flange"
import { vi } from "vitest"
import * as Rig from "./Rig.ts"

class Db extends Context.Service<Db, { readonly query: () => string }>()("test/Db") {}
class Repo extends Context.Service<Repo, { readonly read: () => string }>()("test/Repo") {
  static readonly layer = Layer.effect(
    Repo,
    Effect.map(Db, ({ query }) => ({ read: () => `read ${query()}` }))
  )
}

const DbPlugin = Plugin.make("db", {
  layer: Layer.succeed(Db, { query: () => "row" }),
  provides: [Db]
})
const RepoPlugin = Plugin.make("repo", {
  layer: Repo.layer,
  provides: [Repo],
  requires: [Db]
})
const read = Effect.map(Repo, (repo) => repo.read())

describe("a plugin is a layer", () => {
  it.each([undefined, null, "x", () => 1, {}, Layer.empty])(
    "refuses the contribution %o",
    (value) => {
      const make = Plugin.make as (id: string, options: object) => unknown
      expect(() => make("app:orders", { contributes: [value] })).toThrow(
        'The plugin "app:orders" contributes '
      )
      expect(() => make("app:orders", { routes: [value] })).toThrow(
        "which is no contribution. Write"
      )
    }
  )

  it("with an id, a manifest and a pipe", () => {
    expect(Layer.isLayer(DbPlugin)).toBe(true)
    expect(Plugin.isPlugin(DbPlugin)).toBe(true)
    expect(Plugin.isPlugin(Repo.layer)).toBe(false)
    expect(DbPlugin.id).toBe("db")
    expect(DbPlugin.manifest.provides).toEqual([Db])
    expect(DbPlugin.pipe((plugin) => plugin.id)).toBe("db")
  })

  it.effect("that Layer.provide takes without an app", () =>
    Effect.gen(function* () {
      const layer = RepoPlugin.pipe(Layer.provide(DbPlugin))
      expect(yield* Effect.provide(read, layer)).toBe("read row")
    })
  )

  it.effect("that merges with plain layers", () =>
    Effect.gen(function* () {
      const layer = Layer.provideMerge(Repo.layer, DbPlugin)
      const both = Effect.all([read, Effect.map(Db, ({ query }) => query())])
      expect(yield* Effect.provide(both, layer)).toEqual(["read row", "row"])
    })
  )

  it.effect("whose resources live in the scope it is built in", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const plugin = Plugin.make("p1", {
        layer: Layer.effectDiscard(
          Effect.acquireRelease(rig.note("acquire p1"), () => rig.note("release p1"))
        )
      })
      yield* Effect.scoped(Layer.build(plugin))
      expect(rig.events).toEqual(["acquire p1", "release p1"])
    })
  )

  it.effect("that is built once, however often it is used in one build", () =>
    Effect.gen(function* () {
      let built = 0
      const counted = Plugin.make("counted", {
        layer: Layer.effect(
          Db,
          Effect.sync(() => ({ query: () => String(++built) })).pipe(
            Effect.tap(({ query }) => Effect.sync(query))
          )
        ),
        provides: [Db]
      })
      yield* Effect.scoped(Layer.build(Layer.merge(counted, Layer.provide(RepoPlugin, counted))))
      expect(built).toBe(1)
    })
  )

  it.effect("one layer value in two plugins of an app is built once, released last", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const shared = Layer.effectDiscard(
        Effect.acquireRelease(rig.note("acquire shared"), () => rig.note("release shared"))
      )
      const user = (id: string) =>
        Plugin.make(id, {
          layer: Layer.effectDiscard(
            Effect.acquireRelease(rig.note(`acquire ${id}`), () => rig.note(`release ${id}`))
          ).pipe(Layer.provide(shared))
        })
      yield* rig.run([user("a"), user("b")])
      expect(rig.events).toEqual([
        "acquire shared",
        "acquire a",
        "acquire b",
        "bind",
        "drain listener after 0",
        "unbind",
        "release b",
        "release a",
        "release shared"
      ])
    })
  )
})

describe("the configuration of a plugin without an app comes", () => {
  const Mail = Config.section(
    "mail",
    {
      host: Schema.String,
      port: Config.Port.pipe(Config.withDefault(25))
    },
    { variables: { MAIL_HOST: "host" } }
  )
  class Mailer extends Context.Service<Mailer, { readonly to: string }>()("test/Mailer") {}
  const mailer = (defaults?: object) =>
    Plugin.make("mail", {
      config: [Mail],
      defaults,
      layer: Layer.effect(
        Mailer,
        Effect.map(Mail, ({ host, port }) => ({ to: `${host}:${port}` }))
      ),
      provides: [Mailer]
    })
  const to = Effect.map(Mailer, ({ to }) => to)

  it.effect("from the plugin's defaults and the schema's", () =>
    Effect.gen(function* () {
      const plugin = mailer({ mail: { host: "localhost" } })
      expect(yield* Effect.provide(to, plugin)).toBe("localhost:25")
    })
  )

  it.effect("from variables, which override defaults", () =>
    Effect.gen(function* () {
      vi.stubEnv("MAIL_HOST", "mail.example")
      vi.stubEnv("FLANGE__MAIL__PORT", "2525")
      yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))
      const plugin = mailer({ mail: { host: "localhost" } })
      expect(yield* Effect.provide(to, plugin)).toBe("mail.example:2525")
    })
  )

  it.effect("from no other source: a missing value is a ConfigError", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.provide(to, mailer()))
      expect(error).toMatchObject({ _tag: "ConfigError", problems: [{ key: "mail.host" }] })
    })
  )
})

describe("Plugin.fromLayer", () => {
  it.effect("creates a plugin from any layer", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const plugin = Plugin.fromLayer("repo", Repo.layer, {
        order: { last: true },
        provides: [Repo],
        requires: [Db],
        startTimeout: "1 second"
      })
      expect(plugin.manifest.startTimeout).toBe("1 second")
      const { context } = yield* rig.boot([plugin, DbPlugin])
      expect(Context.get(context as Context.Context<Repo>, Repo).read()).toBe("read row")
    })
  )
})

describe("presets", () => {
  it("are lists: spread, filtered and extended like any other", () => {
    const preset = [DbPlugin, RepoPlugin] as const
    const extra = Plugin.make("extra", { requires: [Repo] })
    const ids = (app: App.Any) => App.describe(app).plugins.map(({ id }) => id)
    expect(ids(App.make("one", [extra, ...preset]))).toEqual(["db", "repo", "extra"])
    const fake = Plugin.make("fake-db", {
      layer: Layer.succeed(Db, { query: () => "fake" }),
      provides: [Db]
    })
    const [, repo] = preset
    expect(ids(App.make("two", [fake, repo]))).toEqual(["fake-db", "repo"])
  })
})

describe("a plugin in an app", () => {
  it.effect("sees the services of the plugins it requires, and its own actions", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const Read = Action.make("read", { success: Schema.String })
      const web = Plugin.make("web", {
        actions: [Action.implement(Read, () => read)],
        ready: () => Effect.flatMap(Effect.orDie(Read.call()), rig.note),
        requires: [Repo]
      })
      yield* rig.run([web, RepoPlugin, DbPlugin])
      expect(rig.events).toContain("read row")
    })
  )

  it.effect("overrides the defaults of earlier plugins; the source overrides both", () =>
    Effect.gen(function* () {
      const section = Config.section("paint", {
        color: Schema.String,
        coats: Schema.Int,
        name: Schema.String
      })
      const rig = Rig.make()
      const first = Plugin.make("first", {
        defaults: { paint: { coats: 1, color: "red", name: "first" } }
      })
      const second = Plugin.make("second", {
        config: [section],
        defaults: (environment: string) => ({ paint: { coats: 2, name: environment } }),
        ready: () => Effect.flatMap(section, (paint) => rig.note(JSON.stringify(paint)))
      })
      yield* rig.run([first, second], { values: { paint: { name: "file" } } })
      expect(rig.events).toContain('{"color":"red","coats":2,"name":"file"}')
    })
  )

  it.effect("has health checks that are bound to the services of the app", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const checked = Plugin.make("checked", {
        health: { rows: Effect.map(Db, ({ query }) => query()) },
        requires: [Db]
      })
      const { runtime } = yield* rig.boot([checked, DbPlugin])
      const [check] = runtime.contributions(HealthCheck.kind)
      expect(check).toMatchObject({ data: { class: "shared" }, name: "rows", plugin: "checked" })
      expect(yield* check!.value).toBe("row")
    })
  )
})
