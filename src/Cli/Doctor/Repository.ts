/** Checks that git keeps no secrets and no data. */
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Doctor from "../../Plugin/Doctor.ts"
import type { Check } from "./Check.ts"

/** Runs git, and returns the lines that it prints; none if there is no git. */
const git = (folder: string, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { string } = yield* ChildProcessSpawner
    const text = yield* string(
      ChildProcess.make("git", ["-C", folder, ...args], { stderr: "ignore" })
    )
    return text.split("\n").filter((line) => line !== "")
  }).pipe(Effect.orElseSucceed((): ReadonlyArray<string> => []))

/** Whether a file of variables is one without secrets, for others to copy. */
const isExample = (file: string): boolean => /\.(?:dist|example|sample|template)$/.test(file)

/** What git must not keep, with a file in it: git knows a folder that does not exist by its files. */
const withheld = { ".env": ".env", ".flange": ".flange/data" }

/** Returns the files of a folder that git keeps, as they are written there. */
export const tracked = (folder: string, ...files: ReadonlyArray<string>) =>
  git(folder, "ls-files", "--", ...files)

/** Returns the checks of a folder. */
export const checks = (folder: string): ReadonlyArray<Check<ChildProcessSpawner>> => {
  const inRepository = <R>(
    effect: Effect.Effect<Doctor.Finding | ReadonlyArray<Doctor.Finding>, never, R>
  ) =>
    Effect.flatMap(git(folder, "rev-parse", "--show-toplevel"), (top) =>
      top.length === 0
        ? Effect.succeed(Doctor.skipped(`${folder} is in no git repository.`))
        : effect
    )
  const committed = Effect.map(tracked(folder, ".env", ".env.*", ".flange"), (files) => {
    const secret = files.filter((file) => !isExample(file))
    return secret.length === 0
      ? Doctor.ok("git keeps no .env and nothing of .flange.")
      : secret
          .slice(0, 5)
          .map((file) =>
            Doctor.failed(
              `git keeps ${file}, and everybody who has the repository has what is in it.`,
              `Change the secrets in it, then run: git rm --cached ${JSON.stringify(file)}`
            )
          )
  })
  const ignored = Effect.map(
    git(folder, "check-ignore", "--no-index", ...Object.values(withheld)),
    (found) => {
      const open = Object.entries(withheld).filter(([, file]) => !found.includes(file))
      return open.length === 0
        ? Doctor.ok("git ignores .env and .flange.")
        : open.map(([name]) =>
            Doctor.warning(
              `git does not ignore ${name}, so that git add . would add it.`,
              `Write the line ${name} into ${join(folder, ".gitignore")}`
            )
          )
    }
  )
  return [
    { name: "committed", run: inRepository(committed) },
    { name: "ignored", run: inRepository(ignored) }
  ]
}
