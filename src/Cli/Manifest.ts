/** The `package.json` of Flange itself. */
import { readFileSync } from "node:fs"

interface Manifest {
  readonly allowScripts: Readonly<Record<string, boolean>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly engines: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

/** The folder of the package. The path is the same from `src/Cli` and from `dist/Cli`. */
export const folder: URL = new URL("../../", import.meta.url)

/** Reads the manifest. */
export const read = (): Manifest =>
  JSON.parse(readFileSync(new URL("package.json", folder), "utf8"))

/** Returns packages with the versions that Flange is tested with. */
export const pinned = (
  { dependencies, devDependencies }: Manifest,
  names: ReadonlyArray<string>
): Readonly<Record<string, string>> => {
  const versions = { ...devDependencies, ...dependencies }
  return Object.fromEntries(
    names.map((name) => {
      const version = versions[name]
      if (version === undefined) throw new Error(`The package.json of flange has no ${name}`)
      return [name, version]
    })
  )
}
