/** The warnings of a build: what a bundle may lack, and what to write. */
import { basename, dirname, join, relative, resolve } from "node:path"
import type { Message, Metafile } from "esbuild"
import { isOnDemand } from "./Plugins.ts"
import type { Use } from "./Scan.ts"

/** Returns a path as it is written in the working directory. */
export const shown = (path: string): string => {
  const from = relative(process.cwd(), path)
  return from.startsWith("..") ? path : from
}

/** Why a literal leads to nothing that can be copied. */
export interface Refused {
  readonly problem: "around" | "missing"
  readonly target: string
}

const copy = "--asset PATH copies a file or folder, and keeps its position relative to the module."

const reasonOf = (use: Use, refused: Refused | undefined): string => {
  if (refused?.problem === "missing") {
    return `${shown(refused.target)} does not exist, so it is not copied. Create it before the build, or correct the path.`
  }
  if (refused?.problem === "around") {
    return `${shown(refused.target)} contains the module itself, so it is not copied. Name the files that the app reads: ${copy}`
  }
  switch (use.kind) {
    case "process":
      return `"${use.specifier}" is a path from the working directory, so it is not in the bundle. Write: new URL("${use.specifier}", import.meta.url)`
    case "require":
      return "what this finds is not in the bundle. Import it with a literal, or copy its package with --external NAME."
    default:
      return `the files are known only at run time, so they are not copied. ${copy}`
  }
}

/** Returns the warning of a place that uses the position of its module. */
export const ofUse = (file: string, use: Use, refused: Refused | undefined): string =>
  `${shown(file)}:${use.line}: ${use.lineText}\n  ${reasonOf(use, refused)}`

/** Returns the warning of an `import` or `require` with a computed name. */
export const ofMessage = ({ location, text }: Message): string => {
  const reason =
    "the modules are known only at run time, so they are not in the bundle. Write literals, or copy the package with --external NAME."
  return location === null
    ? text
    : `${location.file}:${location.line}: ${location.lineText.trim()}\n  ${reason}`
}

/** Returns the warning of a module in a copied folder. */
export const ofLoose = (file: string): string =>
  `${shown(file)} is copied as it is, without what it imports. If the app runs it, name it: new URL("./${basename(file)}", import.meta.url)`

/** Returns the warning of a program that runs nothing. */
export const ofProgram = (entry: string, { outputs }: Metafile): ReadonlyArray<string> => {
  const exports = Object.values(outputs)
    // A module that is imported on demand has an entry point too.
    .find(({ entryPoint }) => entryPoint !== undefined && resolve(entryPoint) === entry)?.exports
  return exports === undefined || exports.length === 0
    ? []
    : [
        `${shown(entry)} exports ${exports.join(", ")}, and a program exports nothing. Build the file that calls App.run, such as ${shown(join(dirname(entry), "main.ts"))}.`
      ]
}

/** Returns the warning of a package that is left out. */
export const ofAbsent = (name: string, importer: string): string =>
  isOnDemand(name)
    ? `${name} is not in "dependencies" of package.json, so it is left out. If the bundle uses it, add --external ${name}.`
    : `${name} is not installed, and ${shown(importer)} fails when it loads it. Run: npm install ${name}`
