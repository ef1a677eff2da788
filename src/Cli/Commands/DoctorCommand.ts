/** `flange doctor`. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { CommandError } from "../../Plugin/Cli.ts"
import type { State } from "../../Plugin/Doctor.ts"
import * as TextTable from "../../Server/TextTable.ts"
import { AppFlag } from "../AppFlag.ts"
import type { Result } from "../Doctor/Check.ts"
import * as Examination from "../Doctor/Examination.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"

const countOf = (results: ReadonlyArray<Result>, state: State): number =>
  results.filter((result) => result.state === state).length

/** Returns a line for each result, with the remedy below it. */
const linesOf = (results: ReadonlyArray<Result>): ReadonlyArray<string> => [
  ...TextTable.lines(
    ["STATE", "CHECK", "RESULT"],
    results.flatMap(({ check, message, remedy, state }) => {
      const [first = "", ...more] = message.split("\n")
      return [
        [state, check, first],
        ...more.map((line) => ["", "", line]),
        ...(remedy === undefined ? [] : [["", "", `-> ${remedy}`]])
      ]
    })
  ),
  "",
  `${countOf(results, "ok")} ok, ${countOf(results, "warning")} warnings, ${countOf(results, "failed")} failed, ${countOf(results, "skipped")} skipped`
]

export const command = Command.make(
  "doctor",
  { json: Flags.json },
  Effect.fn(function* ({ json }) {
    const results = yield* Examination.results(yield* AppFlag)
    yield* json ? Output.json(results) : Output.lines(linesOf(results))
    const failed = results.filter(({ state }) => state === "failed").map(({ check }) => check)
    if (failed.length === 0) return yield* Effect.void
    return yield* new CommandError({
      exitCode: 1,
      reason: `These checks failed: ${[...new Set(failed)].join(", ")}. The remedy is beside each.`
    })
  })
).pipe(
  Command.withDescription(
    "Check the machine, the project, the configuration and what the app needs, each with its remedy. The app is started without a listener, and no migration is applied. Exit code 1 if a check failed"
  ),
  Command.withExamples([
    { command: "flange doctor", description: "All checks" },
    { command: "FLANGE_ENV=production flange doctor --json", description: "For a program" }
  ])
)
