/** The packages of a new project. */
import * as Effect from "effect/Effect"
import * as ChildProcess from "effect/process/ChildProcess"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { CommandError } from "../../Plugin/Cli.ts"

const failed = (folder: string, how: string, cause?: unknown) =>
  new CommandError({
    cause,
    exitCode: 1,
    reason: `The project is in ${folder}, but npm install ${how}. Run it again there: npm install`
  })

/** Runs `npm install` in a folder. What npm prints goes to stderr. */
export const install = (
  folder: string
): Effect.Effect<void, CommandError, ChildProcessSpawner | Stdio.Stdio> =>
  Effect.gen(function* () {
    const stdio = yield* Stdio.Stdio
    // In a shell, because npm is a script on Windows.
    const npm = yield* ChildProcess.make("npm install", {
      cwd: folder,
      shell: true,
      stderr: "inherit",
      stdin: "inherit"
    })
    yield* Stream.run(npm.stdout, stdio.stderr({ endOnDone: false }))
    const code = yield* npm.exitCode
    if (code !== 0) return yield* failed(folder, `failed with exit code ${code}`)
  }).pipe(
    Effect.catchTag("PlatformError", (cause) =>
      Effect.fail(failed(folder, `could not run: ${cause.message}`, cause))
    ),
    Effect.scoped
  )
