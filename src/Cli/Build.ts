/** `flange build`: an app in one file. */
import { readFileSync } from "node:fs"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import type { Plugin } from "esbuild"

/** What was written. */
export interface Built {
  /** Bytes of the program, without its source map. */
  readonly bytes: number
  /** Absolute path. */
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
 * Bundles a program and all it imports into one ES module for Node, with a source
 * map beside it. What is in `external` stays an import: packages with native code,
 * or that read their own files, as PGlite does.
 *
 * Bundling is what makes a start fast: one file is read instead of a thousand.
 * Run the result with `node --enable-source-maps`.
 *
 * Fails with `BuildError` when `esbuild` is not installed or refuses the program.
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
          // Bundled CommonJS asks for it.
          banner: {
            js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
          },
          bundle: true,
          // The program resolves its packages as this command does.
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

/** The packages that only a part of Flange needs. `src/Cli` and `dist/Cli` stand equally deep. */
const { peerDependencies }: { readonly peerDependencies: Record<string, string> } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8")
)

const optional = new RegExp(`^(?:${Object.keys(peerDependencies).join("|")})(?:/|$)`)

/**
 * Takes `node:http` as CommonJS. An ES import of it reads each of its exports, `WebSocket` among
 * them, and that loads Node's own HTTP client.
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

/** Takes an optional package out of the bundle without importing it at the start. */
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
    // CommonJS is evaluated when it is first asked for; an import would be hoisted.
    build.onLoad({ filter: optional, namespace: drivers.name }, ({ path }) => ({
      contents: `const name = ${JSON.stringify(path)}; module.exports = require(name)`,
      loader: "js"
    }))
  }
}
