/** `flange repl`. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { CommandError } from "../../Plugin/Cli.ts"
import * as AppFile from "../AppFile.ts"
import { AppFlag } from "../AppFlag.ts"
import * as CurrentApp from "../CurrentApp.ts"

export const command = Command.make(
  "repl",
  {},
  Effect.fn(function* () {
    const app = yield* AppFile.load(yield* AppFlag)
    const Repl = yield* Effect.promise(() => import("../Repl/Repl.ts"))
    const { stdin, stdout } = process
    const isOk = yield* CurrentApp.make(app).run(
      Repl.start(app, {
        isInteractive: stdin.isTTY && stdout.isTTY,
        // While the app runs, everything else that is written to stdout goes to stderr.
        write: stdout.write.bind(stdout)
      })
    )
    if (!isOk) return yield* new CommandError({ exitCode: 1, reason: "A line failed." })
  })
).pipe(
  Command.withDescription(
    "Start all plugins without a listener, and evaluate JavaScript that uses their services"
  ),
  Command.withExamples([
    { command: "flange repl", description: "A prompt" },
    {
      command: "echo 'await run(Effect.succeed(app.id))' | flange repl",
      description: "Without a prompt: results on stdout, errors on stderr"
    }
  ])
)
