/** `flange routes`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as App from "../../App.ts"
import { CommandError } from "../../Plugin/Cli.ts"
import * as AppFile from "../AppFile.ts"
import { AppFlag } from "../AppFlag.ts"
import { assemble } from "../Assembled.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as Changes from "../Routes/Changes.ts"
import * as Lock from "../Routes/Lock.ts"

/** Fails if the routes differ from the lock, or if the app cannot be assembled. */
const check = Effect.fnUntraced(function* (app: App.Any, json: boolean) {
  const changes = Changes.of(yield* Lock.read, Lock.of(App.describe(app)))
  if (json) yield* Output.json(changes)
  const refusal = yield* Effect.match(assemble(app), {
    onFailure: ({ message }) => [message],
    onSuccess: () => []
  })
  const reasons = [...refusal, ...(changes.length === 0 ? [] : [reasonOf(changes)])]
  if (reasons.length > 0) {
    return yield* new CommandError({ exitCode: 1, reason: reasons.join("\n") })
  }
  return yield* json ? Effect.void : Console.log(`The routes are those of ${Lock.file}.`)
})

const reasonOf = (changes: ReadonlyArray<Changes.Change>): string => {
  const of = (wanted: Changes.Change["kind"], heading: string) => {
    const found = changes.filter(({ kind }) => kind === wanted)
    return found.length === 0 ? [] : [heading, ...found.map(({ message }) => `  - ${message}`)]
  }
  return [
    `The routes differ from ${Lock.file}.`,
    ...of("weaker", "Less protects them:"),
    ...of("different", "Other differences:"),
    "If all of it is meant, write the lock and commit it: flange routes --write"
  ].join("\n")
}

export const command = Command.make(
  "routes",
  {
    app: Argument.String("app").pipe(
      Argument.withDescription("The file that exports the app, the same as --app"),
      Argument.optional
    ),
    check: Flags.boolean(
      "check",
      `Compare the routes with ${Lock.file}; exit code 1 if they differ`
    ),
    json: Flags.json,
    write: Flags.boolean("write", `Write ${Lock.file}, to be committed`)
  },
  Effect.fn(function* ({ app: file, check: checks, json, write }) {
    if (checks && write) {
      return yield* new CommandError({
        exitCode: 2,
        reason:
          "--check compares the routes with the lock, and --write replaces it: write one of them"
      })
    }
    const named = yield* AppFlag
    const app = yield* AppFile.load(Option.orElse(file, () => named))
    if (checks) return yield* check(app, json)
    const description = App.describe(app)
    if (write) {
      yield* assemble(app)
      yield* Lock.write(Lock.of(description))
      return yield* Console.log(`${Lock.file} has ${description.routes.length} routes.`)
    }
    const { rawGroups, routes } = description
    yield* json
      ? Output.json({ rawGroups, routes })
      : Output.lines([App.routesTable(description).trimEnd()])
    return yield* assemble(app)
  })
).pipe(
  Command.withDescription(
    "List the routes of the app: who may call each, its guards, its transaction, its limits and its errors. Nothing is started"
  ),
  Command.withExamples([
    { command: "flange routes", description: "The table" },
    { command: "flange routes --write", description: `Make ${Lock.file}` },
    { command: "flange routes --check", description: "In CI: fail if a route differs" }
  ])
)
