/** The files that a bundle has beside its code. */
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { basename, dirname, extname, join, relative, sep } from "node:path"
import type * as esbuild from "esbuild"
import { checksumOf, isMigration } from "../../Layers/Database/Migration/MigrationFiles.ts"
import { packageOf, rootOf } from "./Packages.ts"

/** A module that is bundled with an output of its own, because the app names its file. */
export interface Entry {
  /** The path of the module that stands for it, from the folder of the bundle. */
  readonly at: string
  readonly file: string
  /** The name of its output, without an extension. */
  readonly out: string
}

/** What a file or folder of the app becomes in the bundle. */
export interface Asset {
  readonly entries: ReadonlyArray<Entry>
  /** The files to copy: from where, and to where in the folder of the bundle. */
  readonly files: ReadonlyMap<string, string>
  readonly from: string
  /** The modules that are copied as they are, and whose imports may be missing therefore. */
  readonly loose: ReadonlyArray<string>
  /** The path in the bundle. */
  readonly to: string
}

const slashes = (path: string): string => path.split(sep).join("/")

const isModule = (file: string): boolean =>
  /\.[cm]?[jt]sx?$/.test(file) && !/\.d\.[cm]?ts$/.test(file)

const isTyped = (file: string): boolean => /\.[cm]?tsx?$/.test(file)

/**
 * Returns the position of a file in the bundle. Files of the app keep their path from its
 * `package.json`, files of other packages are below the name of their package.
 */
export const positionOf = (file: string, root: string | undefined): string => {
  const installed = packageOf(file)
  if (installed !== undefined) {
    return `assets/${installed.name}/${slashes(relative(installed.folder, file))}`
  }
  const own = rootOf(dirname(file))
  if (own === undefined) return `assets${slashes(file.replace(/^\w:/, ""))}`
  const path = slashes(relative(own, file))
  return own === root ? `assets/${path}` : `assets/${basename(own)}/${path}`
}

const filesOf = (path: string): ReadonlyArray<string> => {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .filter((name) => name !== "node_modules" && name !== ".git")
    .sort()
    .flatMap((name) => filesOf(join(path, name)))
}

const hasImports = async ({ build }: Pick<typeof esbuild, "build">, file: string) => {
  const { metafile } = await build({
    bundle: true,
    entryPoints: [file],
    external: ["*"],
    format: "esm",
    logLevel: "silent",
    metafile: true,
    platform: "node",
    write: false
  })
  return Object.values(metafile.inputs).some(({ imports }) =>
    imports.some(({ path }) => path !== "<runtime>")
  )
}

const entryOf = (file: string, position: string): Entry => {
  const hash = createHash("sha256").update(position).digest("hex").slice(0, 8)
  const name = basename(file, extname(file))
  return { at: position.replace(/\.\w+$/, ".mjs"), file, out: `${name}-${hash}` }
}

/**
 * Reads a file or folder. Modules with imports cannot be copied, because what they import is in the
 * bundle: a named file and migrations are bundled.
 */
export const read = async (
  bundler: typeof esbuild,
  path: string,
  { root, runs }: { readonly root: string | undefined; readonly runs: boolean }
): Promise<Asset> => {
  const entries: Array<Entry> = []
  const files = new Map<string, string>()
  const loose: Array<string> = []
  const isFolder = statSync(path).isDirectory()
  const to = positionOf(path, root)
  for (const file of filesOf(path)) {
    const position = isFolder ? `${to}/${slashes(relative(path, file))}` : to
    const bundles = isModule(file) && (runs || isTyped(file) || (await hasImports(bundler, file)))
    if (bundles && (!isFolder || isMigration(basename(file)))) {
      entries.push(entryOf(file, position))
      continue
    }
    if (bundles) loose.push(file)
    files.set(file, position)
  }
  return { entries, files, from: path, loose, to: isFolder ? to : (entries[0]?.at ?? to) }
}

/**
 * Returns the module at the position of an entry. A migration has the name and the checksum of its
 * source, so that a database does not see a difference between the source and the bundle.
 */
export const stub = (
  { at, file }: Entry,
  output: { readonly exports: ReadonlyArray<string>; readonly path: string }
): string => {
  const name = basename(file)
  const from = JSON.stringify(slashes(relative(dirname(at), output.path)))
  const migration = isMigration(name)
    ? `export const builtFrom = ${JSON.stringify({ checksum: checksumOf(readFileSync(file, "utf8")), name })}\n`
    : ""
  const names = output.exports.includes("default") ? `export { default } from ${from}\n` : ""
  return `export * from ${from}\n${names}${migration}`
}

/** Whether a path is a file or folder that can be copied for a module: not its own folder. */
export const problemOf = (path: string, module: string): "around" | "missing" | undefined => {
  if (!existsSync(path)) return "missing"
  return module === path || module.startsWith(path.endsWith(sep) ? path : path + sep)
    ? "around"
    : undefined
}
