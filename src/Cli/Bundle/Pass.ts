/** One run of `esbuild`. */
import { dirname, relative, resolve } from "node:path"
import type * as esbuild from "esbuild"
import * as Assets from "./Assets.ts"
import * as Packages from "./Packages.ts"
import * as Plugins from "./Plugins.ts"

/** What is bundled. All paths are absolute. */
export interface Input {
  readonly assets: ReadonlyArray<string>
  readonly entry: string
  readonly esbuild: typeof esbuild
  readonly external: ReadonlyArray<string>
  /** The folder of migrations that the app finds in its working directory. */
  readonly migrations: string | undefined
  /** The file to write. */
  readonly out: string
  /** The folder of the app's `package.json`. */
  readonly root: string | undefined
}

/** What was found in the passes so far. */
export interface Found {
  /** The packages that are left out, with a module that imports each. */
  readonly absent: Map<string, string>
  /** The files and folders that are copied, by their paths. */
  readonly assets: Map<string, Assets.Asset>
  /** The changed code of modules, by their paths. */
  readonly codes: Map<string, string>
  /** The packages that are copied, with their reasons, by their folders. */
  readonly packages: Map<string, Packages.Package & { readonly reason: string }>
}

/** The result of a pass. */
export interface Pass {
  /** The packages that were left out to be copied: their folders by their paths in the bundle. */
  readonly placed: ReadonlyMap<string, string>
  readonly result: esbuild.BuildResult<{ metafile: true; write: false }>
  /** The modules that are in the outputs, with their formats. */
  readonly used: ReadonlyMap<string, "cjs" | "esm">
}

/** Returns the modules that are made for the entries of assets. */
export const entriesOf = ({ assets }: Found): ReadonlyArray<Assets.Entry> =>
  [...assets.values()].flatMap(({ entries }) => entries)

/** Records that a package is copied. Throws if another version of it is. */
export const copyPackage = ({ packages }: Found, one: Packages.Package, reason: string): void => {
  if (packages.has(one.folder)) return
  const other = [...packages.values()].find(({ name }) => name === one.name)
  if (other !== undefined) {
    throw new Error(
      `two versions of ${one.name} would have to be copied beside the bundle: ${other.folder} and ${one.folder}. Install one version of it.`
    )
  }
  packages.set(one.folder, { ...one, reason })
}

const usedOf = ({ inputs, outputs }: esbuild.Metafile): Pass["used"] => {
  const used = new Map<string, "cjs" | "esm">()
  for (const output of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      if (bytesInOutput === 0) continue
      const format = inputs[path]?.format === "cjs" ? "cjs" : "esm"
      used.set(/^flange-\w+:/.test(path) ? path : resolve(path), format)
    }
  }
  return used
}

/** Bundles an app with what was found before. Adds to `found` the packages with native code. */
export const pass = async (input: Input, found: Found): Promise<Pass> => {
  const { entry, migrations, out, root } = input
  const placed = Packages.place(found.packages.values())
  const copied = new Map(
    [...placed].flatMap(([to, folder]) => {
      const name = to.slice("node_modules/".length)
      return name.includes("/node_modules/") ? [] : [[name, folder] as const]
    })
  )
  const onNative = (file: string) => {
    const installed = Packages.packageOf(file)
    if (installed !== undefined) {
      copyPackage(found, installed, `${relative(installed.folder, file)} is native code`)
      return undefined
    }
    const to = Assets.positionOf(file, root)
    found.assets.set(file, { entries: [], files: new Map([[file, to]]), from: file, loose: [], to })
    return to
  }
  const onAbsent = (name: string, importer: string) => found.absent.set(name, importer)
  const entries = entriesOf(found)
  const extension = /\.\w+$/.exec(out)![0]
  const result = await input.esbuild.build({
    // Bundled CommonJS calls `require`.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
    },
    bundle: true,
    chunkNames: "[name]-[hash]",
    // Packages are resolved with the `--conditions` of this command.
    conditions: process.execArgv.flatMap(
      (option) => /^(?:--conditions|-C)=(.+)$/.exec(option)?.[1] ?? []
    ),
    entryPoints: [
      { in: entry, out: out.slice(dirname(out).length + 1, -extension.length) },
      ...entries.map(({ file, out: name }) => ({ in: file, out: name }))
    ],
    format: "esm",
    ...(migrations === undefined ? {} : { inject: ["flange-migrations"] }),
    legalComments: "linked",
    logLevel: "silent",
    logOverride: {
      "unsupported-dynamic-import": "warning",
      "unsupported-require-call": "warning"
    },
    metafile: true,
    minifySyntax: true,
    minifyWhitespace: true,
    outExtension: { ".js": extension },
    outdir: dirname(out),
    platform: "node",
    plugins: [
      Plugins.packages({ copied, onAbsent }),
      Plugins.http,
      Plugins.native(onNative),
      Plugins.positions(found.codes),
      ...(migrations === undefined ? [] : [Plugins.migrations(Assets.positionOf(migrations, root))])
    ],
    sourcemap: "linked",
    splitting: entries.length > 0,
    target: "node22",
    write: false
  })
  return { placed, result, used: usedOf(result.metafile) }
}
