/** The app whose commands and actions the tests call. */
export const files = {
  "app.ts": `
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Action, App, Cli, Plugin } from "flange"

console.log("the file of the app is loaded")

class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}

const Add = Action.make("sum.add", {
  error: Refused,
  payload: Schema.Struct({ at: Schema.Date, numbers: Schema.Array(Schema.Int) }),
  success: Schema.Struct({ at: Schema.Date, sum: Schema.Int })
})
const Nothing = Action.make("sum.nothing")
const Broken = Action.make("sum.broken")
const Wait = Action.make("sum.wait")

const SumPlugin = Plugin.make("app:sum", {
  actions: [
    Action.implement(Add, ({ at, numbers }) =>
      Effect.gen(function* () {
        console.log("adding")
        yield* Effect.logInfo("adding too")
        if (numbers.length === 0) return yield* new Refused({ why: "there are no numbers" })
        return { at, sum: numbers.reduce((a, b) => a + b, 0) }
      })
    ),
    Action.implement(Broken, () => Effect.die(new Error("a defect"))),
    Action.implement(Nothing, () => Effect.void),
    Action.implement(Wait, () =>
      Effect.andThen(Effect.logInfo("waiting"), Effect.never).pipe(
        Effect.onInterrupt(() => Effect.logInfo("interrupted"))
      )
    )
  ],
  ready: () => Effect.die("an action needs no listener")
})

const Owner = Plugin.make("company:owner", {
  contributes: [Cli.make("owner", { load: () => import("./OwnerCommand.ts") })]
})

export const app = App.make("sums", [SumPlugin, Owner])
`,
  "OwnerCommand.ts": `
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { AppRuntime, Cli } from "flange"

export const command = Command.make(
  "owner",
  { fail: Flag.Boolean("fail").pipe(Flag.withDefault(false)) },
  Effect.fn(function* ({ fail }) {
    const { app, run } = yield* Cli.CurrentApp
    if (fail) return yield* new Cli.CommandError({ exitCode: 1, reason: "Nobody owns it." })
    const version = yield* run(Effect.map(AppRuntime, ({ version }) => version))
    yield* Console.log(\`The platform team owns \${app.id} \${version}\`)
  })
).pipe(Command.withDescription("Print who owns the app"))
`
}
