/** `flange config`. */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as App from "../../App.ts"
import { ConfigError } from "../../Config/ConfigError.ts"
import * as PublicConfigPlugin from "../../Layers/PublicConfig/PublicConfigPlugin.ts"
import { CommandError } from "../../Plugin/Cli.ts"
import * as AppFile from "../AppFile.ts"
import { AppFlag } from "../AppFlag.ts"
import * as ConfigSchema from "../Config/ConfigSchema.ts"
import * as ConfigTable from "../Config/ConfigTable.ts"
import * as EnvExample from "../Config/EnvExample.ts"
import * as Inspected from "../Config/Inspected.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"

/** Returns the method and the path of the endpoint that serves the public keys. */
const publicEndpoint = (app: App.Any): string | null => {
  const { routes } = App.describe(app)
  const route = routes.find(({ plugin }) => plugin === PublicConfigPlugin.plugin.id)
  return route === undefined ? null : `${route.method} ${route.path}`
}

export const command = Command.make(
  "config",
  {
    envExample: Flags.boolean("env-example", "Print a .env.example with all variables of the app"),
    json: Flags.json,
    jsonSchema: Flags.boolean(
      "json-schema",
      "Print the JSON Schema of flange.toml, .yaml and .json"
    )
  },
  Effect.fn(function* ({ envExample, json, jsonSchema }) {
    if ([envExample, json, jsonSchema].filter(Boolean).length > 1) {
      return yield* new CommandError({
        exitCode: 2,
        reason: "--env-example, --json and --json-schema print different things: write one of them"
      })
    }
    const app = yield* AppFile.load(yield* AppFlag)
    const inspected = yield* Inspected.of(app)
    if (jsonSchema) return yield* Output.json(ConfigSchema.of(inspected.compiled))
    if (envExample) return yield* Output.lines([EnvExample.render(inspected.keys)])
    const report = ConfigTable.report(inspected, publicEndpoint(app))
    yield* json ? Output.json(report) : Output.lines(ConfigTable.lines(report))
    const { environment, problems, warnings } = inspected
    yield* Console.error(`Environment: ${environment}`)
    yield* Effect.forEach(warnings, (warning) => Console.error(`warning: ${warning}`))
    if (problems.length > 0) return yield* new ConfigError({ problems })
    return yield* Effect.void
  })
).pipe(
  Command.withDescription(
    "List every key of the configuration: its value, and the file, variable or default that it comes from. Secrets are masked. Nothing is started"
  ),
  Command.withExamples([
    { command: "flange config", description: "The table" },
    { command: "FLANGE_ENV=production flange config", description: "Of another environment" },
    { command: "flange config --env-example > .env.example", description: "The variables" },
    {
      command: "flange config --json-schema > flange.schema.json",
      description: "For editors of flange.toml"
    }
  ])
)
