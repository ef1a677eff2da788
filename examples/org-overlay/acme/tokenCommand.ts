/** `flange token`: prints a token of a caller. A server never loads this file. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { AppRuntime, Cli } from "flange"
import { Tokens } from "./TokensPlugin.ts"

const make = Effect.fnUntraced(function* (subject: string) {
  const { environment } = yield* AppRuntime
  if (environment !== "local") {
    return yield* new Cli.CommandError({
      exitCode: 1,
      reason: `Tokens are made in the environment local only, and this is ${environment}. Ask the issuer of ${environment} for one.`
    })
  }
  const tokens = yield* Tokens
  return yield* tokens.make(subject)
})

export const command = Command.make(
  "token",
  { subject: Argument.String("subject").pipe(Argument.withDescription("The caller")) },
  Effect.fn(function* ({ subject }) {
    const { run } = yield* Cli.CurrentApp
    yield* Console.log(yield* run(make(subject), { requires: [Tokens] }))
  })
).pipe(Command.withDescription("Print a token for this machine, valid for an hour"))
