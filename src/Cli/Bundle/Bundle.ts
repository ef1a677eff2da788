/** Bundles an app, and finds what it needs beside its code. */
import { readFileSync } from "node:fs"
import { dirname, posix, relative, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import type * as esbuild from "esbuild"
import * as Assets from "./Assets.ts"
import * as Packages from "./Packages.ts"
import { copyPackage, entriesOf, type Found, type Input, type Pass, pass } from "./Pass.ts"
import * as Plugins from "./Plugins.ts"
import * as Scan from "./Scan.ts"
import * as Warnings from "./Warnings.ts"

/** A bundle that is not written yet. */
export interface Bundle {
  readonly assets: ReadonlyArray<Assets.Asset>
  /** The outputs of `esbuild`. */
  readonly outputs: ReadonlyArray<esbuild.OutputFile>
  /** The packages to copy, by their paths in the bundle. */
  readonly packages: ReadonlyMap<string, { readonly folder: string; readonly reason: string }>
  /** The text of the module at the position of each entry. */
  readonly stubs: ReadonlyMap<string, string>
  readonly warnings: ReadonlyArray<string>
}

/** The folders of Flange's own modules. They find files by names that the app gives. */
const flange = ["dist/", "src/"].map((folder) =>
  fileURLToPath(new URL(`../../../${folder}`, import.meta.url))
)

const isFlange = (file: string): boolean => flange.some((folder) => file.startsWith(folder))

const isOwn = (file: string): boolean => !isFlange(file) && Packages.packageOf(file) === undefined

const isModule = (file: string): boolean =>
  /\.[cm]?[jt]sx?$/.test(file) && !/^flange-\w+:/.test(file)

const addAsset = async (
  { esbuild, root }: Input,
  { assets }: Found,
  path: string,
  runs: boolean
): Promise<Assets.Asset> => {
  const known = assets.get(path)
  if (known !== undefined) return known
  const asset = await Assets.read(esbuild, path, { root, runs })
  assets.set(path, asset)
  return asset
}

/** Returns the path that a literal of a module leads to. */
const targetOf = (file: string, { isUrl, specifier }: Scan.Use): string =>
  isUrl
    ? fileURLToPath(new URL(specifier.replace(/[?#].*/, ""), pathToFileURL(file)))
    : resolve(dirname(file), specifier)

/** Returns a literal that leads from the position of a module to that of an asset. */
const literalOf = (position: string, { isUrl, specifier }: Scan.Use, to: string): string => {
  const relative = posix.relative(posix.dirname(position), to)
  const path = isUrl ? Plugins.encoded(relative) : relative
  const [own] = isUrl ? specifier.split(/[?#]/) : [specifier]
  const end = (own!.endsWith("/") ? "/" : "") + specifier.slice(own!.length)
  return `${path.startsWith(".") ? path : `./${path}`}${end}`
}

/** Scans a module of the last pass, and returns its warnings. */
const scan = async (
  input: Input,
  found: Found,
  file: string,
  format: "cjs" | "esm"
): Promise<ReadonlyArray<string>> => {
  const position = Assets.positionOf(file, input.root)
  const scanned = await Scan.scan(input.esbuild, file, readFileSync(file, "utf8"), {
    format,
    isProgram: file === input.entry,
    position: `flange-at:${position}`
  })
  if (scanned === undefined) return []
  const installed = Packages.packageOf(file)
  const literals = new Map<Scan.Use, string>()
  const warnings: Array<string> = []
  for (const use of scanned.uses) {
    const target = use.kind === "static" ? targetOf(file, use) : undefined
    const problem = target === undefined ? undefined : Assets.problemOf(target, file)
    // A package may read further files beside the ones that it names in CommonJS.
    const isKnown = target !== undefined && problem === undefined && format === "esm" && !use.runs
    if (installed !== undefined && !isKnown) {
      const reason = `${relative(installed.folder, file)}:${use.line} finds files by its position`
      copyPackage(found, installed, reason)
      return []
    }
    // esbuild has a warning for it.
    if (use.kind === "computed" && use.runs) continue
    if (target === undefined) warnings.push(Warnings.ofUse(file, use, undefined))
    else if (problem !== undefined) warnings.push(Warnings.ofUse(file, use, { problem, target }))
    else {
      const asset = await addAsset(input, found, target.replace(/[/\\]$/, ""), use.runs)
      literals.set(use, literalOf(position, use, asset.to))
    }
  }
  const code = scanned.print(literals)
  if (code !== undefined) found.codes.set(file, code)
  return warnings
}

const sizeOf = ({ assets, codes, packages }: Found): number =>
  assets.size + codes.size + packages.size

/** Records what the command and `package.json` name. */
const start = async (input: Input, found: Found): Promise<void> => {
  const folder = dirname(input.entry)
  const { dependencies } = input.root === undefined ? {} : Packages.manifestOf(input.root)
  const missing = input.external.find((name) => Packages.find(folder, name) === undefined)
  if (missing !== undefined) {
    throw new Error(
      `--external ${missing} is not installed, so it cannot be copied. Run: npm install ${missing}`
    )
  }
  const named = input.external.map((name) => [name, "--external"] as const)
  const onDemand = Object.keys(dependencies ?? {})
    .filter(Plugins.isOnDemand)
    .map((name) => [name, "in dependencies of package.json"] as const)
  for (const [name, reason] of [...named, ...onDemand]) {
    const one = Packages.find(folder, name)
    if (one !== undefined) copyPackage(found, one, reason)
  }
  for (const path of input.assets) await addAsset(input, found, path, false)
}

const warningsOf = (
  input: Input,
  { absent, assets }: Found,
  { placed, result, used }: Pass
): ReadonlyArray<string> => {
  const computed = result.warnings.filter(({ location }) => {
    const file = location === null ? undefined : resolve(location.file)
    return file !== undefined && isModule(file) && isOwn(file) && used.has(file)
  })
  const loose = [...assets.values()]
    .flatMap((asset) => asset.loose)
    .filter((file) => !used.has(file))
  const missing = [...absent].filter(
    ([name, importer]) =>
      !placed.has(`node_modules/${name}`) &&
      used.has(importer) &&
      (!Plugins.isOnDemand(name) || Packages.find(dirname(importer), name) !== undefined)
  )
  return [
    ...Warnings.ofProgram(input.entry, result.metafile),
    ...computed.map(Warnings.ofMessage),
    ...loose.map(Warnings.ofLoose),
    ...missing.map(([name, importer]) => Warnings.ofAbsent(name, importer))
  ]
}

const stubsOf = ({ out }: Input, found: Found, { result }: Pass): ReadonlyMap<string, string> =>
  new Map(
    entriesOf(found).map((entry) => {
      const [path, { exports }] = Object.entries(result.metafile.outputs).find(
        ([, { entryPoint }]) => entryPoint !== undefined && resolve(entryPoint) === entry.file
      )!
      const output = { exports, path: relative(dirname(out), resolve(path)) }
      return [entry.at, Assets.stub(entry, output)]
    })
  )

/**
 * Bundles an app. The first pass finds the modules. Each of them is scanned, and what that finds
 * changes the next pass: packages that are copied, changed modules, further entries. The last pass
 * finds nothing new.
 */
export const bundle = async (input: Input): Promise<Bundle> => {
  const found: Found = {
    absent: new Map(),
    assets: new Map(),
    codes: new Map(),
    packages: new Map()
  }
  const warnings = new Map<string, ReadonlyArray<string>>()
  await start(input, found)
  for (;;) {
    const before = sizeOf(found)
    const last = await pass(input, found)
    for (const [file, format] of last.used) {
      if (!isModule(file) || warnings.has(file) || isFlange(file)) continue
      warnings.set(file, await scan(input, found, file, format))
    }
    if (input.migrations !== undefined && last.used.has("flange-migrations:flange-migrations")) {
      await addAsset(input, found, input.migrations, false)
    }
    if (sizeOf(found) > before) continue
    Assets.checkPositions(found.assets.values())
    const packages = [...last.placed].map(([to, folder]) => {
      const reason = found.packages.get(folder)?.reason ?? "another copied package needs it"
      return [to, { folder, reason }] as const
    })
    return {
      assets: [...found.assets.values()],
      outputs: last.result.outputFiles,
      packages: new Map(packages),
      stubs: stubsOf(input, found, last),
      warnings: [
        ...[...warnings].flatMap(([file, texts]) => (last.used.has(file) ? texts : [])),
        ...warningsOf(input, found, last)
      ]
    }
  }
}
