/** `flange client`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as AppFile from "../AppFile.ts"
import { AppFlag } from "../AppFlag.ts"
import * as Client from "../Client/Client.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"

export const command = Command.make(
  "client",
  {
    json: Flags.boolean("json", "Print JSON: the name, the version, the exports and the files"),
    name: Flag.String("name").pipe(
      Flag.withDescription("The name of the package; that of the app with -client if absent"),
      Flag.optional
    ),
    out: Flag.String("out").pipe(
      Flag.withAlias("o"),
      Flag.withMetavar("DIR"),
      Flag.withDescription("The folder to write, client if absent"),
      Flag.withDefault("client")
    ),
    without: Flag.String("without").pipe(
      Flag.withMetavar("GROUP"),
      Flag.withDescription(
        "A group to leave out; may be repeated. Those of batteries and those with OpenApi.Exclude are left out anyway"
      ),
      Flag.atLeast(0)
    )
  },
  Effect.fn(function* ({ json, name, out, without }) {
    const named = yield* AppFlag
    const app = yield* AppFile.load(named)
    const made = yield* Client.make(app, {
      // `load` has found one.
      file: Option.getOrThrow(Option.orElse(named, AppFile.found)),
      name: Option.getOrUndefined(name),
      out,
      without
    })
    const { exports, files, version } = made
    yield* json
      ? Output.json(made)
      : Output.lines([`${made.name} ${version} exports ${exports.join(", ")}`, ...files])
  })
).pipe(
  Command.withDescription(
    "Make a package with the typed client of the app: its contracts, schemas and errors, without server code. Nothing is started"
  ),
  Command.withExamples([
    {
      command: "flange client --name @acme/orders-client --out packages/orders-client",
      description: "A package to publish"
    }
  ])
)
