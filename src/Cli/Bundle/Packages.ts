/** Packages that are copied beside a bundle, with the packages that they need. */
import { existsSync, readFileSync, realpathSync } from "node:fs"
import { dirname, join, sep } from "node:path"

/** A package on the disk. */
export interface Package {
  readonly folder: string
  readonly name: string
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

const modules = `${sep}node_modules${sep}`

/** Reads the `package.json` of a folder. */
export const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))

/** Returns the name of the package in `@scope/name/file` or `name/file`. */
export const nameOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/")

/** Returns the nearest folder from `folder` upwards that has a `package.json`. */
export const rootOf = (folder: string): string | undefined => {
  if (existsSync(join(folder, "package.json"))) return folder
  const parent = dirname(folder)
  return parent === folder ? undefined : rootOf(parent)
}

/** Returns the installed package that a file belongs to, or undefined for a source of the app. */
export const packageOf = (file: string): Package | undefined => {
  const at = file.lastIndexOf(modules)
  if (at < 0) return undefined
  const name = nameOf(file.slice(at + modules.length).replaceAll(sep, "/"))
  return { folder: join(file.slice(0, at + modules.length), name), name }
}

/** Finds a package as Node does for a module in `folder`. */
export const find = (folder: string, name: string): Package | undefined => {
  const candidate = join(folder, "node_modules", name)
  if (existsSync(join(candidate, "package.json"))) return { folder: realpathSync(candidate), name }
  const parent = dirname(folder)
  return parent === folder ? undefined : find(parent, name)
}

/**
 * Returns what a package that is not installed is to the package of `importer`: `needed`, as a
 * source of the app needs each package, `peer`, or `optional` if it works without.
 */
export const absenceOf = (importer: string, name: string): "needed" | "optional" | "peer" => {
  const folder = packageOf(importer)?.folder
  if (folder === undefined) return "needed"
  const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } =
    manifestOf(folder)
  if (dependencies?.[name] !== undefined && optionalDependencies?.[name] === undefined) {
    return "needed"
  }
  const isPeer = peerDependencies?.[name] !== undefined
  return isPeer && peerDependenciesMeta?.[name]?.optional !== true ? "peer" : "optional"
}

/** Returns the installed packages that a package may import. */
const needsOf = (folder: string): ReadonlyArray<Package> => {
  const { dependencies, optionalDependencies, peerDependencies } = manifestOf(folder)
  return Object.keys({ ...peerDependencies, ...optionalDependencies, ...dependencies })
    .sort()
    .flatMap((name) => find(folder, name) ?? [])
}

/** Returns the folder that Node finds for `name` from a package at `to`, or undefined. */
const lookup = (placed: ReadonlyMap<string, string>, to: string, name: string) => {
  for (let at = to; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules") - 1))) {
    const found = placed.get(`${at}/node_modules/${name}`)
    if (found !== undefined) return found
  }
  return placed.get(`node_modules/${name}`)
}

/**
 * Returns where packages and all that they need are copied to, as paths from the folder of the
 * bundle, with their present folders. If two versions of a package are needed, the second one is
 * copied into the package that needs it.
 */
export const place = (packages: Iterable<Package>): ReadonlyMap<string, string> => {
  const placed = new Map<string, string>()
  for (const { folder, name } of packages) placed.set(`node_modules/${name}`, folder)
  // A map is iterated also over what is added meanwhile.
  for (const [to, folder] of placed) {
    for (const need of needsOf(folder)) {
      const found = lookup(placed, to, need.name)
      if (found === need.folder) continue
      placed.set(`${found === undefined ? "" : `${to}/`}node_modules/${need.name}`, need.folder)
    }
  }
  return placed
}
