/** `flange dev`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as AppFile from "../AppFile.ts"
import { AppFlag } from "../AppFlag.ts"

export const command = Command.make(
  "dev",
  {
    entry: Argument.String("entry").pipe(
      Argument.withDescription(
        "The program of the app, such as src/main.ts; src/main.ts, main.ts, src/app.ts or app.ts if absent"
      ),
      Argument.optional
    ),
    types: Flag.Boolean("types").pipe(
      Flag.withDescription("Check the types after each change; --no-types turns it off"),
      Flag.withDefault(true)
    )
  },
  Effect.fn(function* ({ entry, types }) {
    const named = yield* AppFlag
    const file = yield* AppFile.locate(
      Option.orElse(entry, () => named),
      AppFile.programs
    )
    const Supervisor = yield* Effect.promise(() => import("../Dev/Supervisor.ts"))
    return yield* Supervisor.run(file, { types })
  })
).pipe(
  Command.withDescription(
    "Run the app while you write it: start it again after each change, and check its types"
  )
)
