/** Bundles modules of an app without the packages that they import. */
import { isBuiltin } from "node:module"
import { resolve } from "node:path"
import type * as esbuild from "esbuild"
import { find, nameOf } from "../Bundle/Packages.ts"
import type { Graph, Import } from "./Graph.ts"

/** Modules that are bundled. */
export interface Modules {
  readonly code: string
  /** The names that the bundle exports. */
  readonly exports: ReadonlyArray<string>
  readonly graph: Graph
  /** The imports of packages that the bundle needs. */
  readonly packages: ReadonlySet<string>
  /** The modules that have code in the bundle. */
  readonly used: ReadonlySet<string>
}

/** Leaves packages out. What is no installed package, such as an alias of `tsconfig.json`, is a module. */
const packages: esbuild.Plugin = {
  name: "flange-client",
  setup: (build) => {
    build.onResolve({ filter: /^[^./#]/ }, ({ kind, path, resolveDir }) => {
      const isPackage = isBuiltin(path) || find(resolveDir, nameOf(path)) !== undefined
      // Without side effects, an import that nothing uses is left out.
      return kind !== "entry-point" && isPackage
        ? { external: true, path, sideEffects: false }
        : undefined
    })
  }
}

/** The name of code that is in no file, for the comments of the bundle. */
const sourcefile = "flange client"

/** Bundles a module, given as a file or as code in a folder. */
export const bundle = async (
  { build }: Pick<typeof esbuild, "build">,
  entry: { readonly code: string; readonly folder: string } | { readonly file: string }
): Promise<Modules> => {
  const { metafile, outputFiles } = await build({
    ...("file" in entry
      ? { entryPoints: [entry.file] }
      : {
          stdin: {
            contents: entry.code,
            loader: "ts" as const,
            resolveDir: entry.folder,
            sourcefile
          }
        }),
    bundle: true,
    // Packages are resolved with the `--conditions` of this command.
    conditions: process.execArgv.flatMap(
      (option) => /^(?:--conditions|-C)=(.+)$/.exec(option)?.[1] ?? []
    ),
    format: "esm",
    logLevel: "silent",
    metafile: true,
    outdir: "out",
    platform: "node",
    plugins: [packages],
    target: "es2022",
    write: false
  })
  const output = Object.values(metafile.outputs)[0]!
  return {
    code: outputFiles[0]!.text,
    exports: output.exports,
    graph: new Map(
      Object.entries(metafile.inputs)
        .filter(([file]) => file !== sourcefile)
        .map(([file, { imports }]) => [
          resolve(file),
          imports
            .filter(({ kind }) => kind === "import-statement")
            .map(({ external = false, original, path }): Import => ({
              file: external ? undefined : resolve(path),
              specifier: original ?? path
            }))
        ])
    ),
    packages: new Set(output.imports.filter(({ external }) => external).map(({ path }) => path)),
    used: new Set(
      Object.entries(output.inputs)
        .filter(([file, { bytesInOutput }]) => file !== sourcefile && bytesInOutput > 0)
        .map(([file]) => resolve(file))
    )
  }
}
