// Writes the `exports` of package.json: one subpath for each area of src that has an index.ts; for
// each battery also its Contract.ts (for contracts) and its Testing.ts (test doubles). The types of
// all modules are exported too, because the declaration files of users name them. Run it with
// `npm run exports` after adding an area.
import { globSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const areas = [
  "src/index.ts",
  "src/Cli/index.ts",
  "src/Config/index.ts",
  "src/Contract/index.ts",
  "src/Testing/index.ts",
  "src/Layers/*/{Contract,index,Testing}.ts"
]

/**
 * The subpaths of the tree under `root`. The condition `flange-source`, used inside the repository
 * only, comes first: conditions are tried in order.
 */
export const exportsOf = (root: string): Record<string, unknown> => {
  const targets = globSync(areas, { cwd: root }).map((file): [string, unknown] => {
    const source = `./${file.replaceAll("\\", "/")}`
    const built = source.replace("./src", "./dist").replace(/\.ts$/, "")
    const subpath = source.replace(/^\.\/src(\/Layers)?/, ".").replace(/(\/index)?\.ts$/, "")
    return [subpath, { "flange-source": source, types: `${built}.d.ts`, default: `${built}.js` }]
  })
  const entries: Array<[string, unknown]> = [
    ...targets,
    ["./package.json", "./package.json"],
    ["./types/*", { types: "./dist/*.d.ts" }]
  ]
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
  )
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..")
  const file = join(root, "package.json")
  const manifest = JSON.parse(readFileSync(file, "utf8"))
  const text = JSON.stringify({ ...manifest, exports: exportsOf(root) }, null, 2)
  writeFileSync(file, `${text}\n`)
}
