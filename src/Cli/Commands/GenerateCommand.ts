/** `flange generate`. */
import { existsSync, readFileSync } from "node:fs"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { CommandError } from "../../Plugin/Cli.ts"
import { AppFlag } from "../AppFlag.ts"
import * as Flags from "../Flags.ts"
import { methods } from "../Generate/EndpointFiles.ts"
import { typeNames } from "../Generate/FieldTypes.ts"
import * as Generators from "../Generate/Generators.ts"
import * as History from "../Generate/History.ts"
import * as Plan from "../Generate/Plan.ts"
import type { Generated } from "../Generate/Wiring.ts"
import * as Output from "../Output.ts"

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(description),
    Flag.optional
  )

const output = {
  dryRun: Flags.boolean("dry-run", "Print what would be written, and write nothing"),
  json: Flags.boolean("json", "Print JSON; with --dry-run also the texts of the files")
}

/** Returns the commands that check what was generated. */
const nextSteps = (): ReadonlyArray<string> => {
  const scripts = existsSync("package.json") ? readFileSync("package.json", "utf8") : ""
  return [
    /"check"\s*:/.test(scripts) ? "npm run check" : "npx tsc",
    /"test"\s*:/.test(scripts) ? "npm test" : "npx vitest run",
    "npx flange routes --write"
  ]
}

/** Writes what a generator returned, or prints it. */
const finish = Effect.fnUntraced(function* (
  { notes, plan, unwired }: Generated,
  { dryRun, json }: { readonly dryRun: boolean; readonly json: boolean }
) {
  yield* Plan.check(plan.creates)
  const lines = Plan.lines(plan, dryRun)
  if (!dryRun) yield* Plan.write(plan)
  const next = nextSteps()
  const all = unwired === undefined ? notes : [...notes, unwired]
  yield* json ? Output.json({ ...Plan.data(plan, dryRun), next, notes: all }) : Output.lines(lines)
  for (const note of notes) yield* Console.error(note)
  if (unwired !== undefined) return yield* new CommandError({ exitCode: 1, reason: unwired })
  return yield* Console.error(
    dryRun
      ? "Nothing was written."
      : `Next: ${next.join(", ")}. To undo it: npx flange generate undo`
  )
})

const endpoint = Command.make(
  "endpoint",
  {
    ...output,
    crud: Flags.boolean("crud", "Generate create, list, read, replace, update and remove"),
    fields: text(
      "fields",
      "FIELDS",
      `The fields of the data, such as 'customer:string, total:int?, state:enum(open|paid)'. Types: ${typeNames.join(", ")}; ? makes a field optional`
    ),
    method: Flag.Literals("method", Object.keys(methods) as Array<keyof typeof methods>).pipe(
      Flag.withDescription("The method of the endpoint without --crud; get if absent"),
      Flag.optional
    ),
    name: Argument.String("name").pipe(
      Argument.withDescription("The name of the feature; a plural, such as orders, with --crud")
    ),
    path: text("path", "PATH", "The path of the endpoint without --crud; /v1/NAME if absent"),
    protected: Flags.boolean(
      "protected",
      "Only authenticated callers may call it; the default if the app authenticates"
    ),
    public: Flags.boolean("public", "Everybody may call it"),
    singular: text("singular", "NAME", "The singular of the name, if it follows no rule"),
    store: Flag.Literals("store", ["database", "memory"]).pipe(
      Flag.withDescription("Where the data is; database if the app has Database.plugin"),
      Flag.optional
    )
  },
  Effect.fn(function* (options) {
    return yield* finish(yield* Generators.endpoint(options, yield* AppFlag), options)
  })
).pipe(
  Command.withDescription("Generate a feature with its contract, plugin and tests"),
  Command.withExamples([
    {
      command: "flange generate endpoint orders --crud --fields 'customer:string, total:int'",
      description: "With a repository and a migration"
    },
    {
      command: "flange generate endpoint notes --method post --path /v1/orders/:id/notes",
      description: "One endpoint"
    }
  ])
)

const plugin = Command.make(
  "plugin",
  {
    ...output,
    name: Argument.String("name").pipe(Argument.withDescription("The name, such as mailer"))
  },
  Effect.fn(function* (options) {
    return yield* finish(yield* Generators.plugin(options.name, yield* AppFlag), options)
  })
).pipe(Command.withDescription("Generate a plugin with a service and its test"))

const migration = Command.make(
  "migration",
  {
    ...output,
    name: Argument.String("name").pipe(
      Argument.withDescription("What it does, such as add-total-to-orders")
    ),
    ts: Flags.boolean("ts", "Write TypeScript instead of SQL")
  },
  Effect.fn(function* (options) {
    const { name, ts } = options
    return yield* finish(yield* Generators.migration(name, ts, yield* AppFlag), options)
  })
).pipe(Command.withDescription("Generate a migration with the next number"))

const action = Command.make(
  "action",
  {
    ...output,
    name: Argument.String("name").pipe(
      Argument.withDescription("The feature and what is done, such as orders.archive")
    ),
    plugin: text("plugin", "FILE", "The file of the plugin; that of the feature if absent")
  },
  Effect.fn(function* (options) {
    const { name, plugin } = options
    return yield* finish(yield* Generators.action(name, plugin, yield* AppFlag), options)
  })
).pipe(Command.withDescription("Generate an action of a feature, and add it to its plugin"))

const client = Command.make(
  "client",
  {
    ...output,
    out: text("out", "FILE", "The file to write; client.ts beside the app if absent")
  },
  Effect.fn(function* (options) {
    return yield* finish(yield* Generators.client(options.out, yield* AppFlag), options)
  })
).pipe(Command.withDescription("Generate a typed client for the contracts of the project"))

const undo = Command.make(
  "undo",
  { json: Flags.json },
  Effect.fn(function* ({ json }) {
    const changes = yield* History.undo
    const of = (isRemoved: boolean) =>
      changes.filter(({ after }) => (after === undefined) === isRemoved).map(({ path }) => path)
    const [removed, restored] = [of(true), of(false)]
    for (const path of removed.filter((path) => /(?:^|\/)migrations\//.test(path))) {
      yield* Console.error(
        `A database that has applied ${path} refuses the app now. On your machine, start with an empty one.`
      )
    }
    return yield* json
      ? Output.json({ removed, restored })
      : Output.lines([
          ...removed.map((path) => `remove   ${path}`),
          ...restored.map((path) => `restore  ${path}`)
        ])
  })
).pipe(Command.withDescription("Undo what was generated last, if its files are unchanged"))

export const command = Command.make("generate").pipe(
  Command.withDescription(
    "Generate code of the project, as the guides write it. Existing files are never overwritten, and the app is not started"
  ),
  Command.withShortDescription("Generate code of the project"),
  Command.withSubcommands([action, client, endpoint, migration, plugin, undo])
)
