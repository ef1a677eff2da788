/** `flange build`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as AppFile from "../AppFile.ts"
import * as Build from "../Bundle/Build.ts"
import { shown } from "../Bundle/Warnings.ts"

const size = (bytes: number): string => `${Math.ceil(bytes / 1024)} KiB`

/** Returns a line such as `dist/assets/migrations 2 files, 1 KiB (from migrations)`. */
const lineOf = ({ bytes, files, path, reason }: Build.Part): string =>
  reason === undefined
    ? `${shown(path)} ${size(bytes)}`
    : `${shown(path)} ${files} ${files === 1 ? "file" : "files"}, ${size(bytes)} (${shown(reason)})`

export const command = Command.make(
  "build",
  {
    asset: Flag.String("asset").pipe(
      Flag.withDescription(
        "A file or folder to copy, relative to the working directory; may be repeated. Those that modules name by new URL(..., import.meta.url) are copied anyway"
      ),
      Flag.atLeast(0)
    ),
    entry: Argument.String("entry").pipe(
      Argument.withDescription(
        "The program to bundle, such as src/main.ts; src/main.ts, main.ts, src/app.ts or app.ts if absent"
      ),
      Argument.optional
    ),
    external: Flag.String("external").pipe(
      Flag.withDescription(
        "A package to copy into node_modules beside the bundle instead of bundling it; may be repeated. Those with native code are copied anyway"
      ),
      Flag.atLeast(0)
    ),
    out: Flag.String("out").pipe(
      Flag.withAlias("o"),
      Flag.withDescription(
        "The file to write, dist/app.mjs if absent; what is copied lies beside it"
      ),
      Flag.withDefault("dist/app.mjs")
    )
  },
  Effect.fn(function* ({ asset, entry, external, out }) {
    const program = Option.isSome(entry)
      ? entry.value
      : yield* AppFile.locate(entry, AppFile.programs)
    const { parts, warnings } = yield* Build.build(program, { assets: asset, external, out })
    for (const part of parts) yield* Console.log(lineOf(part))
    for (const warning of warnings) yield* Console.error(`warning: ${warning}`)
  })
).pipe(Command.withDescription("Bundle an app with the files that it needs into one folder"))
