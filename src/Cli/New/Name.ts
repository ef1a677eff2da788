/** Names of new projects, which are names of packages, images and services too. */
import { basename, resolve } from "node:path"
import * as Effect from "effect/Effect"
import { CommandError } from "../../Plugin/Cli.ts"
import * as Manifest from "../Manifest.ts"

/** Returns the name that a text most likely means; empty if it has no letters for one. */
const slugOf = (text: string): string =>
  text
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, 63)
    .replace(/-$/, "")

/** Returns the reason why a name cannot be used, if it cannot. */
export const problem = (name: string): string | undefined => {
  if (name.length <= 63 && /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name)) {
    const { dependencies, devDependencies } = Manifest.read()
    return name === "flange" || Object.hasOwn({ ...devDependencies, ...dependencies }, name)
      ? `The name "${name}" is that of a package that the project needs, and npm installs no package into itself. Write: flange new my-${name}`
      : undefined
  }
  const slug = slugOf(name)
  return `The name "${name}" cannot be used: npm and Kubernetes take at most 63 lower-case letters, digits and single hyphens, beginning with a letter. Write: flange new ${slug === "" ? "shop" : slug}`
}

/** A new project: its folder, and the name of its package. */
export interface Place {
  readonly folder: string
  readonly name: string
}

/** Reads the argument of the command: a name, or a path whose last part is the name. */
export const place = (argument: string): Effect.Effect<Place, CommandError> => {
  const folder = resolve(argument)
  const name = argument.startsWith("@") ? argument : basename(folder)
  // An empty path is the working directory, which a variable that is not set must not become.
  const reason = argument === "" ? problem("") : problem(name)
  return reason === undefined
    ? Effect.succeed({ folder, name })
    : Effect.fail(new CommandError({ exitCode: 2, reason }))
}
