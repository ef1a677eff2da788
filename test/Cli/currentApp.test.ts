import { assert, describe, it } from "@effect/vitest"
import * as Command from "effect/cli/Command"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { App, AppRuntime, Cli, Config, Plugin } from "flange"
import * as CurrentApp from "../../src/Cli/CurrentApp.ts"

class Below extends Context.Service<Below, string>()("test/Below") {}
class Above extends Context.Service<Above, string>()("test/Above") {}
class Other extends Context.Service<Other, string>()("test/Other") {}

const Words = Config.section("words", { below: Schema.String })
const Secret = Config.section("secret", { key: Config.Secret })

/** An app that writes down what is acquired and released. `values` are those of its sections. */
const make = (values: object) => {
  const events: Array<string> = []
  const acquire = <A>(name: string, value: A) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        events.push(`+${name}`)
        return value
      }),
      () => Effect.sync(() => events.push(`-${name}`))
    )
  const below = Plugin.make("test:below", {
    config: [Words],
    layer: Layer.effect(
      Below,
      Effect.flatMap(Words, (words) => acquire("below", words.below))
    ),
    provides: [Below],
    ready: () => Effect.die("nothing is ready")
  })
  const above = Plugin.make("test:above", {
    layer: Layer.effect(
      Above,
      Effect.flatMap(Below, (word) => acquire("above", `${word}, above`))
    ),
    provides: [Above],
    requires: [Below]
  })
  const other = Plugin.make("test:other", {
    config: [Secret],
    layer: Layer.effect(Other, acquire("other", "other")),
    provides: [Other]
  })
  const app = App.make("shop", [above, other, below], { config: { values, variables: {} } })
  return { current: CurrentApp.make(app), events }
}

const above = Above.useSync((word) => word)

describe("the app of a command", () => {
  it.effect("has the role server, whatever the configuration says", () =>
    Effect.gen(function* () {
      const { current } = make({ app: { role: "worker" }, words: { below: "low" } })
      const role = AppRuntime.useSync(({ role }) => role)
      assert.strictEqual(yield* current.run(role, { requires: [Above] }), "server")
    })
  )

  it.effect("acquires what is required, with its configuration alone, and releases it", () =>
    Effect.gen(function* () {
      const { current, events } = make({ words: { below: "low" } })
      const plugins = yield* current.run(
        Effect.flatMap(AppRuntime, ({ description }) =>
          Effect.map(above, (word) => [word, ...description.plugins.map(({ id }) => id)])
        ),
        { requires: [Above] }
      )
      // The description is that of the whole app.
      assert.deepStrictEqual(plugins, ["low, above", "test:other", "test:below", "test:above"])
      assert.deepStrictEqual(events, ["+below", "+above", "-above", "-below"])
    })
  )

  it.effect("acquires all plugins if nothing is named, and needs their configuration", () =>
    Effect.gen(function* () {
      const lacking = make({ words: { below: "low" } })
      const error = yield* Effect.flip(lacking.current.run(Effect.void))
      assert.instanceOf(error, Cli.CommandError)
      assert.include(error.message, "secret.key")
      assert.deepStrictEqual(lacking.events, [])
      const whole = make({ secret: { key: "a-long-random-key" }, words: { below: "low" } })
      yield* whole.current.run(Effect.void)
      assert.sameMembers(whole.events, ["+other", "+below", "+above", "-above", "-below", "-other"])
    })
  )

  it.effect("has values that win over every other source", () =>
    Effect.gen(function* () {
      const { current } = make({ words: { below: "low" } })
      const word = yield* current.run(above, {
        overrides: { words: { below: "lower" } },
        requires: [Above]
      })
      assert.strictEqual(word, "lower, above")
    })
  )

  it.effect("releases what is acquired if the effect fails, and fails with its error", () =>
    Effect.gen(function* () {
      const { current, events } = make({ words: { below: "low" } })
      const error = yield* Effect.flip(
        current.run(Effect.fail("no" as const), { requires: [Below] })
      )
      assert.strictEqual(error, "no")
      assert.deepStrictEqual(events, ["+below", "-below"])
    })
  )

  it.effect("without a required service fails with a sentence", () =>
    Effect.gen(function* () {
      class Absent extends Context.Service<Absent, string>()("test/Absent") {}
      const { current, events } = make({})
      const error = yield* Effect.flip(current.run(Effect.void, { requires: [Absent] }))
      assert.strictEqual(
        error.message,
        'No plugin of the app "shop" provides test/Absent: add one that does'
      )
      assert.deepStrictEqual(events, [])
    })
  )
})

it("what a command uses is in its types", () => {
  const { current } = make({})
  // @ts-expect-error Above is not among the required services
  const unlisted = current.run(above, { requires: [Below] })
  // @ts-expect-error it is not required at all
  const unrequired = current.run(above)
  assert.isTrue(Effect.isEffect(unlisted) && Effect.isEffect(unrequired))
  const command = Command.make("above", {}, () => Effect.asVoid(above))
  // @ts-expect-error a command has its services from Cli.CurrentApp
  Cli.make("above", { load: () => Promise.resolve({ command }) })
  const named = Command.make("below", {}, () => Effect.asVoid(Cli.CurrentApp))
  // @ts-expect-error the command has another name
  Cli.make("above", { load: () => Promise.resolve({ command: named }) })
  assert.strictEqual(
    Cli.make("below", { load: () => Promise.resolve({ command: named }) }).name,
    "below"
  )
})
