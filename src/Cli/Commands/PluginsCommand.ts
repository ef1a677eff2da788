/** `flange plugins`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as App from "../../App.ts"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as AppFile from "../AppFile.ts"
import { AppFlag } from "../AppFlag.ts"
import { assemble } from "../Assembled.ts"
import * as CurrentApp from "../CurrentApp.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as PluginGraph from "../Plugins/PluginGraph.ts"
import * as PluginSvg from "../Plugins/PluginSvg.ts"
import * as PluginTable from "../Plugins/PluginTable.ts"

const graphs = {
  mermaid: (_, plugins) => PluginGraph.toMermaid(plugins),
  svg: PluginSvg.render,
  text: (_, plugins) => PluginGraph.toText(plugins)
} satisfies Record<string, (app: string, plugins: PluginGraph.PluginGraph) => string>

/** Acquires the app, and returns the milliseconds in which each plugin was acquired. */
const measured = (app: App.Any) =>
  Effect.map(
    CurrentApp.make(app).run(Effect.flatMap(AppRuntime, ({ bootTree }) => bootTree)),
    (steps) =>
      new Map(
        steps.flatMap(({ duration, phase, plugin }) =>
          phase === "acquire" && plugin !== undefined ? [[plugin, duration]] : []
        )
      )
  )

export const command = Command.make(
  "plugins",
  {
    graph: Flag.Literals("graph", ["mermaid", "svg", "text"]).pipe(
      Flag.withDescription("Print which plugin requires which, instead of the table"),
      Flag.optional
    ),
    json: Flags.json,
    timings: Flags.boolean(
      "timings",
      "Acquire the app without a listener, and add the time of each plugin"
    )
  },
  Effect.fn(function* ({ graph, json, timings }) {
    const app = yield* AppFile.load(yield* AppFlag)
    const description = App.describe(app)
    const times = timings ? yield* measured(app) : undefined
    if (Option.isSome(graph)) {
      const text = graphs[graph.value](app.id, PluginGraph.of(description, times))
      yield* json ? Output.json({ graph: text }) : Output.lines([text])
    } else {
      const rows = PluginTable.rows(description, times)
      yield* json ? Output.json(rows) : Output.lines(PluginTable.lines(rows))
    }
    return yield* assemble(app)
  })
).pipe(
  Command.withDescription(
    "List the plugins of the app in the order in which they start: what each requires, provides and contributes. Without --timings nothing is started"
  ),
  Command.withExamples([
    { command: "flange plugins", description: "The table" },
    { command: "flange plugins --timings", description: "How long each plugin takes to start" },
    { command: "flange plugins --graph svg > plugins.svg", description: "A picture" }
  ])
)
