#!/usr/bin/env node
/** The `flange` command. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Build from "./Build.ts"

const build = Command.make(
  "build",
  {
    entry: Argument.String("entry").pipe(
      Argument.withDescription("The program to bundle, such as src/main.ts")
    ),
    external: Flag.String("external").pipe(
      Flag.withDescription("A package to leave out of the bundle; may be repeated"),
      Flag.atLeast(0)
    ),
    out: Flag.String("out").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("The file to write"),
      Flag.withDefault("dist/app.mjs")
    )
  },
  Effect.fn(function* ({ entry, external, out }) {
    const { bytes, file } = yield* Build.build(entry, {
      external,
      out
    })
    yield* Console.log(`${file} ${Math.round(bytes / 1024)} KiB`)
  })
).pipe(Command.withDescription("Bundle an app into one file with a source map"))

Command.make("flange").pipe(
  Command.withDescription("Tools for Flange apps"),
  Command.withSubcommands([build]),
  Command.run({ version: "0.1.0" }),
  Effect.catchTag("BuildError", (error) =>
    Effect.andThen(
      Console.error(error.message),
      Effect.sync(() => {
        process.exitCode = 1
      })
    )
  ),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
