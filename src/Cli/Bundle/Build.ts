/** `flange build`: bundles an app, with the files that it needs beside its code. */
import { existsSync, realpathSync, statSync } from "node:fs"
import { dirname, join, resolve, sep } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { sentenceOf } from "../Failure.ts"
import { bundle } from "./Bundle.ts"
import { type Part, write } from "./Output.ts"
import { rootOf } from "./Packages.ts"

export type { Part } from "./Output.ts"

/** What was written. */
export interface Built {
  /** The size of the program in bytes, without its source map. */
  readonly bytes: number
  /** The absolute path of the program. */
  readonly file: string
  /** The program, other modules, copied files and copied packages. */
  readonly parts: ReadonlyArray<Part>
  /** What the bundle may lack, each with the place and what to write. */
  readonly warnings: ReadonlyArray<string>
}

/** The app could not be bundled. */
export class BuildError extends Data.TaggedError("BuildError")<{
  readonly entry: string
  readonly reason: string
}> {
  override get message(): string {
    return `Cannot build ${this.entry}: ${this.reason}`
  }
}

/** What to bundle, and where to. */
export interface Options {
  /** Files and folders to copy. Each keeps its position relative to the modules. */
  readonly assets: ReadonlyArray<string>
  /** Packages to copy into `node_modules` beside the bundle instead of bundling them. */
  readonly external: ReadonlyArray<string>
  /** The file to write. */
  readonly out: string
}

/** Returns why the paths cannot be used, or undefined. */
const problemOf = (entry: string, { assets, out }: Options): string | undefined => {
  if (!existsSync(entry)) return "the file does not exist. Write the program, such as src/main.ts"
  if (statSync(entry).isDirectory()) {
    return `it is a folder. Write the program in it, such as ${join(entry, "main.ts")}`
  }
  if (!/\.m?js$/.test(out)) {
    return `--out ${out} is not the name of a module. Write a file, such as ${join(out, "app.mjs")}`
  }
  if (existsSync(out) && statSync(out).isDirectory()) {
    return `--out ${out} is a folder. Write a file in it, such as ${join(out, "app.mjs")}`
  }
  const folder = dirname(resolve(out))
  if (resolve(entry).startsWith(folder.endsWith(sep) ? folder : folder + sep)) {
    return `the folder of --out ${out} contains the sources. Write to a folder of its own, such as --out dist/app.mjs`
  }
  const around = assets.find((path) => `${folder}${sep}`.startsWith(resolve(path) + sep))
  if (around !== undefined) {
    return `--asset ${around} contains the folder of --out ${out}. Name the files in it that the app reads`
  }
  const missing = assets.find((path) => !existsSync(path))
  return missing === undefined
    ? undefined
    : `--asset ${missing} does not exist. Write a file or folder, relative to ${process.cwd()}`
}

/**
 * Bundles a program and its imports into an ES module for Node, with a source map beside it. A
 * bundle starts fast, because Node reads one file instead of a thousand. Run it with
 * `node --enable-source-maps`.
 *
 * The folder of `out` has everything that the app needs, and can be moved:
 *
 * - Files and folders that a module names by `new URL("./file", import.meta.url)`, and the folder
 *   `migrations` of the working directory, are copied into `assets`.
 * - Workers and migrations in TypeScript or JavaScript become modules that share the code of the
 *   program.
 * - Packages that find files by their own position, and packages with native code, are copied into
 *   `node_modules`, with the packages that they need.
 *
 * What cannot be found, such as a file with a computed name, is a warning with its place.
 *
 * Fails with `BuildError` if a path cannot be used, if `esbuild` is not installed, or if it refuses
 * the program.
 */
export const build = (entry: string, options: Options): Effect.Effect<Built, BuildError> =>
  Effect.gen(function* () {
    const problem = problemOf(entry, options)
    if (problem !== undefined) return yield* new BuildError({ entry, reason: problem })
    const esbuild = yield* Effect.tryPromise({
      catch: () =>
        new BuildError({ entry, reason: "esbuild is not installed. Run: npm install -D esbuild" }),
      try: () => import("esbuild")
    })
    const file = resolve(options.out)
    const migrations = resolve("migrations")
    // Modules have their real paths.
    const real = realpathSync(entry)
    const root = rootOf(dirname(real))
    const written = rootOf(dirname(resolve(entry)))
    const realOf = (path: string): string =>
      root !== undefined && written !== undefined && path.startsWith(written + sep)
        ? root + path.slice(written.length)
        : path
    return yield* Effect.tryPromise({
      catch: (error) => new BuildError({ entry, reason: sentenceOf(error) }),
      try: async () => {
        const made = await bundle({
          assets: options.assets.map((path) => realOf(resolve(path))),
          entry: real,
          esbuild,
          external: options.external,
          migrations: existsSync(migrations) ? migrations : undefined,
          out: file,
          root
        })
        const parts = write(file, made)
        return { bytes: parts[0]!.bytes, file, parts, warnings: made.warnings }
      }
    })
  })
