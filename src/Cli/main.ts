#!/usr/bin/env node
/** The program of the command `flange`. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Host from "./Host.ts"

Host.run(process.argv.slice(2)).pipe(
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({
    // The file of an app may have left timers and handles: nothing waits for them.
    teardown: (exit) => {
      const code = Exit.isSuccess(exit) ? Number(exit.value) : 130
      process.stdout.write("", () => process.exit(code))
    }
  })
)
