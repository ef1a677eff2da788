/** Runs the linter on a text, with rules of this repository alone. */
import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")

/** A rule that a text breaks. */
export interface Diagnostic {
  readonly code: string
  readonly message: string
}

/** Returns the rules of `tools/<plugin>.js` that a text breaks. */
export const lint = (
  plugin: string,
  rules: ReadonlyArray<string>,
  text: string
): ReadonlyArray<Diagnostic> => {
  const folder = join(root, ".doctest", plugin)
  const config = {
    categories: {},
    jsPlugins: [`../../tools/${plugin}.js`],
    rules: Object.fromEntries(rules.map((rule) => [`${plugin}/${rule}`, "error"]))
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "oxlint.json"), JSON.stringify(config))
  writeFileSync(join(folder, "sample.ts"), text)
  const oxlint = join(root, "node_modules/oxlint/bin/oxlint")
  const args = [oxlint, "-c", "oxlint.json", "--no-ignore", "--format=json", "sample.ts"]
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" })
  rmSync(folder, { recursive: true })
  const { diagnostics } = JSON.parse(stdout) as { readonly diagnostics: ReadonlyArray<Diagnostic> }
  return diagnostics.filter(({ code }) => code.startsWith(plugin))
}
