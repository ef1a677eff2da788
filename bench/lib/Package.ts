/** Flange as its users have it: compiled, and found under `node_modules`. */
import { spawnSync } from "node:child_process"
import { globSync, statSync } from "node:fs"
import { resolve } from "node:path"

const root = resolve(import.meta.dirname, "../..")

const changed = (file: string) =>
  statSync(resolve(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0

/** The command `flange`. */
export const command = resolve(root, "dist/Cli/main.js")

let isBuilt = false

/**
 * Compiles `src` to `dist` if a source is newer. `bench/node_modules/flange` is a link to the
 * repository, so an import of `flange` then loads what would be published.
 */
export const build = (): void => {
  // A change in the middle of a run would divide one build by another.
  if (isBuilt) return
  isBuilt = true
  const built = changed("dist/index.js")
  if (globSync("src/**/*.ts", { cwd: root }).every((file) => changed(file) < built)) return
  const { error, status, stderr, stdout } = spawnSync("npm", ["run", "build"], {
    cwd: root,
    encoding: "utf8"
  })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`npm run build failed:\n${stdout}${stderr}`)
}
