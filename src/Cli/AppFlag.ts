/** The flag `--app` of all commands. */
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"

/** The file of the app, if the command line names one. */
export const AppFlag = GlobalFlag.Setting("app")({
  flag: Flag.String("app").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(
      "The file that exports the app; src/app.ts, app.ts, src/main.ts or main.ts if absent"
    ),
    Flag.optional
  )
})
