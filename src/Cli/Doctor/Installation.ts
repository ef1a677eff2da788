/** Checks of what is installed: Node, Effect, the files of the project. */
import { existsSync, globSync, readFileSync, realpathSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Doctor from "../../Plugin/Doctor.ts"
import * as NodeVersion from "../../Server/Listener/NodeVersion.ts"
import * as Manifest from "../Manifest.ts"
import type { Check } from "./Check.ts"

const manifestOf = (file: string): object => {
  const value: unknown = JSON.parse(readFileSync(file, "utf8"))
  return typeof value === "object" && value !== null ? value : {}
}

const textOf = (manifest: object, key: string): string | undefined =>
  hasProperty(manifest, key) && typeof manifest[key] === "string" ? manifest[key] : undefined

/** Returns a folder and the folders around it. */
const upwards = (folder: string): ReadonlyArray<string> => {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...upwards(parent)]
}

/** Returns the first file of that name in the folder or around it. */
const above = (folder: string, ...names: ReadonlyArray<string>): string | undefined =>
  upwards(folder)
    .flatMap((one) => names.map((name) => join(one, name)))
    .find((file) => existsSync(file))

/** Where package managers put a package: hoisted, below the package that needs it, or in a store. */
const places = [
  "effect",
  "*/node_modules/effect",
  "@*/*/node_modules/effect",
  ".pnpm/effect@*/node_modules/effect"
]

/** Returns the real folders of all copies of Effect: those of the project, and that of Flange. */
const copies = (folder: string): ReadonlyArray<string> => {
  const found = upwards(folder)
    .map((one) => join(one, "node_modules"))
    .filter((one) => existsSync(one))
    .flatMap((one) => globSync(places, { cwd: one }).map((place) => join(one, place)))
    .filter((one) => existsSync(join(one, "package.json")))
  const own = dirname(createRequire(import.meta.url).resolve("effect/package.json"))
  return [...new Set([...found, own].map((one) => realpathSync(one)))].sort()
}

const effect = (folder: string): Doctor.Finding => {
  // The version is exact.
  const wanted = Manifest.read().dependencies["effect"]!
  const found = copies(folder).map((copy) => ({
    copy,
    version: textOf(manifestOf(join(copy, "package.json")), "version") ?? "unknown"
  }))
  const list = found.map(({ copy, version }) => `${version} in ${copy}`).join(", ")
  if (found.length > 1) {
    return Doctor.failed(
      `There are ${found.length} copies of effect: ${list}. Services of one copy are unknown to the other.`,
      `Depend on effect ${wanted} exactly, then run npm dedupe. If a package wants another version, add it to "overrides" in package.json.`
    )
  }
  return found.every(({ version }) => version === wanted)
    ? Doctor.ok(`effect ${wanted} is installed once.`)
    : Doctor.failed(
        `This version of flange needs effect ${wanted}, and there is ${list}.`,
        `Install it: npm install effect@${wanted}`
      )
}

const moduleType = (folder: string): Doctor.Finding => {
  const file = above(folder, "package.json")
  if (file === undefined) {
    return Doctor.warning("There is no package.json.", "Create one: npm init --init-type=module -y")
  }
  const type = textOf(manifestOf(file), "type")
  if (type === "module") return Doctor.ok(`The type of ${file} is "module".`)
  const message = `The type of ${file} is ${type === undefined ? "not set" : JSON.stringify(type)}, so Node reads a file as CommonJS first.`
  const remedy = `Write "type": "module" into ${file}`
  return type === undefined ? Doctor.warning(message, remedy) : Doctor.failed(message, remedy)
}

const locks = [
  "bun.lock",
  "bun.lockb",
  "npm-shrinkwrap.json",
  "package-lock.json",
  "pnpm-lock.yaml",
  "yarn.lock"
]

const lockFile = (folder: string): Doctor.Finding => {
  const file = above(folder, ...locks)
  return file === undefined
    ? Doctor.warning(
        "There is no lock file, so that another machine may install other versions.",
        "Commit the one that your package manager writes: npm install writes package-lock.json"
      )
    : Doctor.ok(`The versions of packages are in ${file}`)
}

const floatingEffects = (folder: string): Doctor.Finding =>
  above(folder, "node_modules/@effect/tsgo/package.json") === undefined
    ? Doctor.warning(
        "@effect/tsgo is not installed, so that nothing finds an Effect that is created and never run.",
        "npm install -D @effect/tsgo, and run in CI: npx effect-tsgo diagnostics --project tsconfig.json"
      )
    : Doctor.ok("@effect/tsgo is installed. It finds Effects that are never run.")

const node = (): Doctor.Finding => {
  const problem = NodeVersion.problem(process.versions.node)
  return problem === undefined
    ? Doctor.ok(`Node ${process.versions.node} is ${NodeVersion.oldest} or newer.`)
    : Doctor.failed(problem, `Install Node ${NodeVersion.oldest} or newer.`)
}

/** Returns the checks of a folder. */
export const checks = (path: string): ReadonlyArray<Check> => {
  const folder = resolve(path)
  return [
    { name: "node", run: Effect.sync(node) },
    { name: "effect", run: Effect.sync(() => effect(folder)) },
    { name: "package", run: Effect.sync(() => moduleType(folder)) },
    { name: "lock-file", run: Effect.sync(() => lockFile(folder)) },
    { name: "floating-effects", run: Effect.sync(() => floatingEffects(folder)) }
  ]
}
