/** The files that a bundle has beside its code. */
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs"
import { basename, dirname, extname, join, relative, sep } from "node:path"
import type * as esbuild from "esbuild"
import { checksumOf, isMigration } from "../../Layers/Database/Migration/MigrationFiles.ts"
import { packageOf } from "./Packages.ts"

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
 * `package.json`. Files of packages are below `_packages`, and others below one `_up` for each
 * folder above the app, so that no file of the app has their position.
 */
export const positionOf = (file: string, root: string | undefined): string => {
  const installed = packageOf(file)
  if (installed !== undefined) {
    return `assets/_packages/${installed.name}/${slashes(relative(installed.folder, file))}`
  }
  const path = slashes(root === undefined ? file : relative(root, file))
  return `assets/${path.replace(/^(?:\w:)?\//, "").replaceAll(/(^|\/)\.\.(?=\/)/g, "$1_up")}`
}

/** Lists the files of a folder, or returns the file. `around` are the real folders that contain it. */
const filesOf = (path: string, around: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (!existsSync(path)) {
    throw new Error(
      `${path} is a link to a file that does not exist. Remove it, or create the file.`
    )
  }
  if (!statSync(path).isDirectory()) return [path]
  const real = realpathSync(path)
  if (around.includes(real)) {
    throw new Error(
      `${path} is a link to a folder that contains it, so the copy would have no end. Remove it, or name the files that the app reads.`
    )
  }
  return readdirSync(path)
    .filter((name) => name !== "node_modules" && name !== ".git")
    .sort()
    .flatMap((name) => filesOf(join(path, name), [...around, real]))
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
  // The name is a part of a URL.
  const name = basename(file, extname(file)).replaceAll(/[^\w.-]/g, "_")
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
  for (const file of filesOf(path, [])) {
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

/** Throws if two files would have one position in the bundle. */
export const checkPositions = (assets: Iterable<Asset>): void => {
  const sources = new Map<string, string>()
  for (const { entries, files } of assets) {
    const placed = [...files, ...entries.map(({ at, file }) => [file, at] as const)]
    for (const [file, at] of placed) {
      const other = sources.get(at)
      if (other !== undefined && other !== file) {
        throw new Error(
          `${other} and ${file} would both be ${at} in the bundle. Rename one of them.`
        )
      }
      sources.set(at, file)
    }
  }
}
