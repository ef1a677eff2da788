/** Writes a bundle, and removes what an earlier build wrote. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync
} from "node:fs"
import { basename, dirname, join, sep } from "node:path"
import * as WholeFile from "../../Config/WholeFile.ts"
import type { Bundle } from "./Bundle.ts"

/** A part of a bundle. */
export interface Part {
  readonly bytes: number
  /** The number of files, 1 for a file. */
  readonly files: number
  readonly path: string
  /** Why a package is copied, or what an asset is copied from; undefined for code. */
  readonly reason: string | undefined
}

/** Lists the files of a bundle that has more than its program, so that the next build can remove them. */
const recordOf = (out: string): string => `${out}.files.json`

const walk = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))

/** Returns the files that an earlier build has written beside its program. */
const earlierOf = (out: string): ReadonlyArray<string> => {
  const record = recordOf(out)
  if (!existsSync(record)) return []
  const folder = dirname(out)
  try {
    const paths: ReadonlyArray<string> = JSON.parse(readFileSync(record, "utf8"))
    return paths.map((path) => join(folder, path)).filter((file) => file.startsWith(folder + sep))
  } catch {
    throw new Error(
      `${record} is not the list that an earlier build wrote. Remove the folder ${folder}, or write to another one.`
    )
  }
}

/** Removes files of an earlier build, its list, and the folders that are empty then. */
const clean = (out: string, earlier: ReadonlyArray<string>): void => {
  const folder = dirname(out)
  for (const file of earlier) {
    rmSync(file, { force: true })
    for (let parent = dirname(file); parent !== folder; parent = dirname(parent)) {
      if (existsSync(parent) && readdirSync(parent).length > 0) break
      if (existsSync(parent)) rmdirSync(parent)
    }
  }
  rmSync(recordOf(out), { force: true })
}

/** Whether a file of a package belongs to one of the packages inside it, which have places of their own. */
const isNested = (file: string, folder: string): boolean =>
  file.slice(folder.length).split(sep).includes("node_modules")

const copyPackage = (from: string, to: string): void => {
  cpSync(from, to, {
    dereference: true,
    filter: (source) => !isNested(source, from),
    recursive: true
  })
}

const sizeOf = (files: ReadonlyArray<string>): number =>
  files.reduce((sum, file) => sum + statSync(file).size, 0)

/** Writes a bundle to `out` and beside it. Returns its parts, the program first. */
export const write = (out: string, bundle: Bundle): ReadonlyArray<Part> => {
  const folder = dirname(out)
  const at = (path: string): string => join(folder, ...path.split("/"))
  const earlier = earlierOf(out)
  const known = new Set(earlier)
  for (const path of ["assets", "node_modules"]) {
    if (!existsSync(join(folder, path))) continue
    const isNeeded = path === "assets" ? bundle.assets.length > 0 : bundle.packages.size > 0
    const other = isNeeded ? walk(join(folder, path)).find((file) => !known.has(file)) : undefined
    if (other !== undefined) {
      throw new Error(
        `${other} exists, and an earlier build of ${basename(out)} did not write it. Write to a folder of its own: --out build/${basename(out)}`
      )
    }
  }
  const outputs = bundle.outputs.filter(
    ({ contents, path }) => contents.length > 0 || !path.endsWith(".LEGAL.txt")
  )
  const replaced = new Set(outputs.map(({ path }) => path))
  // A build that is refused keeps the earlier one. The program is there until another one takes its place.
  clean(
    out,
    earlier.filter((file) => !replaced.has(file))
  )
  const record = (files: ReadonlyArray<string>): void => {
    if (bundle.assets.length === 0 && bundle.packages.size === 0) return
    const paths = [...new Set(files)].map((file) => file.slice(folder.length + 1)).sort()
    mkdirSync(folder, { recursive: true })
    WholeFile.write(recordOf(out), `${JSON.stringify(paths, null, 1)}\n`)
  }
  // If this build fails or is killed, the next one removes what it wrote.
  record([
    ...replaced,
    ...[...bundle.stubs.keys()].map(at),
    ...bundle.assets.flatMap(({ files }) => [...files.values()].map(at)),
    ...[...bundle.packages].flatMap(([path, { folder: from }]) =>
      walk(from)
        .filter((file) => !isNested(file, from))
        .map((file) => at(path) + file.slice(from.length))
    )
  ])
  const parts: Array<Part> = []
  const written: Array<string> = []
  const put = (file: string, contents: string | Uint8Array): void => {
    mkdirSync(dirname(file), { recursive: true })
    WholeFile.write(file, contents)
    written.push(file)
  }
  for (const { contents, path } of outputs) {
    put(path, contents)
    if (!/\.(?:map|txt)$/.test(path)) {
      parts.push({ bytes: contents.length, files: 1, path, reason: undefined })
    }
  }
  for (const [path, text] of bundle.stubs) put(at(path), text)
  for (const { entries, files, from, to } of bundle.assets) {
    const copies = [...files].map(([source, path]) => {
      put(at(path), readFileSync(source))
      return at(path)
    })
    const all = [...copies, ...entries.map((entry) => at(entry.at))]
    // An empty folder is a folder for the app as well.
    if (all.length === 0) mkdirSync(at(to), { recursive: true })
    parts.push({ bytes: sizeOf(all), files: all.length, path: at(to), reason: from })
  }
  for (const [path, { folder: from, reason }] of bundle.packages) {
    copyPackage(from, at(path))
    const nested = join(at(path), "node_modules") + sep
    const files = walk(at(path)).filter((file) => !file.startsWith(nested))
    written.push(...files)
    parts.push({ bytes: sizeOf(files), files: files.length, path: at(path), reason })
  }
  record(written)
  return parts.sort((a, b) => (a.path === out ? -1 : b.path === out ? 1 : 0))
}
