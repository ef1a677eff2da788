/** What the `package.json` of a new project has as the version of Flange. */
import { existsSync } from "node:fs"
import { relative, resolve, sep } from "node:path"
import * as Effect from "effect/Effect"
import { CommandError } from "../../Plugin/Cli.ts"
import { version } from "../../Plugin/Version.ts"

/** Checks for a path, other than for a version, a tag, a URL or an alias. */
const isPath = (spec: string): boolean =>
  /^(?:file:(?!\/\/)|[./~]|[a-z]:[\\/])|\.t(?:ar\.)?gz$/i.test(spec) && !/^https?:/.test(spec)

/**
 * Returns the version for a project in `folder`. A path, such as `../flange/flange-0.1.0.tgz`, is
 * relative to the working directory, and the result is relative to the folder.
 */
export const spec = (
  folder: string,
  given: string = version
): Effect.Effect<string, CommandError> => {
  if (!isPath(given)) return Effect.succeed(given)
  const path = resolve(given.replace(/^file:/, ""))
  if (existsSync(path)) {
    return Effect.succeed(`file:${relative(folder, path).replaceAll(sep, "/")}`)
  }
  return Effect.fail(
    new CommandError({
      exitCode: 2,
      reason: `--package ${given} does not exist in ${process.cwd()}. Write the path of the packed Flange, such as ../flange/flange-${version}.tgz, or a version`
    })
  )
}
