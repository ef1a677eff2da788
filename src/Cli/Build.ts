/** `flange build`: bundles an app into one file. */
import { readFileSync } from "node:fs"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import type { Plugin } from "esbuild"

/** The file that was written. */
export interface Built {
  /** The size of the program in bytes, without its source map. */
  readonly bytes: number
  /** The absolute path. */
  readonly file: string
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

/**
 * Bundles a program and its imports into one ES module for Node, with a source map beside it.
 * Packages in `external` stay imports. List those with native code, and those that read files of
 * their own, such as PGlite.
 *
 * A bundle starts fast, because Node reads one file instead of a thousand. Run it with
 * `node --enable-source-maps`.
 *
 * Fails with `BuildError` if `esbuild` is not installed or refuses the program.
 */
export const build = (
  entry: string,
  options: { readonly external: ReadonlyArray<string>; readonly out: string }
): Effect.Effect<Built, BuildError, Path.Path> =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const file = path.resolve(options.out)
    const esbuild = yield* Effect.tryPromise({
      catch: () =>
        new BuildError({ entry, reason: "esbuild is not installed. Run: npm install -D esbuild" }),
      try: () => import("esbuild")
    })
    const { metafile } = yield* Effect.tryPromise({
      catch: (error) => new BuildError({ entry, reason: String((error as Error).message) }),
      try: () =>
        esbuild.build({
          // Bundled CommonJS calls `require`.
          banner: {
            js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
          },
          bundle: true,
          // Packages are resolved with the `--conditions` of this command.
          conditions: process.execArgv.flatMap(
            (option) => /^(?:--conditions|-C)=(.+)$/.exec(option)?.[1] ?? []
          ),
          entryPoints: [entry],
          external: [...options.external],
          format: "esm",
          legalComments: "linked",
          logLevel: "silent",
          metafile: true,
          minifySyntax: true,
          minifyWhitespace: true,
          outfile: file,
          platform: "node",
          plugins: [drivers, http],
          sourcemap: "linked",
          target: "node22"
        })
    })
    const output = Object.values(metafile.outputs).find(
      ({ entryPoint }) => entryPoint !== undefined
    )!
    return { bytes: output.bytes, file }
  })

/** The optional packages. The path is the same from `src/Cli` and from `dist/Cli`. */
const { peerDependencies }: { readonly peerDependencies: Record<string, string> } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8")
)

const optional = new RegExp(`^(?:${Object.keys(peerDependencies).join("|")})(?:/|$)`)

/**
 * Loads `node:http` as CommonJS. An ES import reads every export of the module, and reading
 * `WebSocket` loads Node's own HTTP client.
 */
const http: Plugin = {
  name: "flange-http",
  setup: (build) => {
    build.onResolve({ filter: /^(?:node:)?https?$/ }, ({ kind, path }) =>
      kind === "require-call" ? undefined : { namespace: http.name, path }
    )
    build.onLoad({ filter: /.*/, namespace: http.name }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
      loader: "js"
    }))
  }
}

/**
 * Leaves PGlite, esbuild and optional packages that are not installed out of the bundle. They are
 * loaded when they are used.
 */
const drivers: Plugin = {
  name: "flange-drivers",
  setup: (build) => {
    build.onResolve({ filter: optional }, async ({ kind, path, pluginData, resolveDir }) => {
      if (pluginData === drivers || kind === "require-call") return undefined
      const lazy = { namespace: drivers.name, path }
      if (path.startsWith("@electric-sql/pglite") || path.startsWith("esbuild")) return lazy
      const { errors } = await build.resolve(path, { kind, pluginData: drivers, resolveDir })
      return errors.length > 0 ? lazy : undefined
    })
    // CommonJS is evaluated when it is first used; an import would be hoisted.
    build.onLoad({ filter: optional, namespace: drivers.name }, ({ path }) => ({
      contents: `const name = ${JSON.stringify(path)}; module.exports = require(name)`,
      loader: "js"
    }))
  }
}
