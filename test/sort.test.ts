import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"

const root = join(import.meta.dirname, "..")

/** What the sorting rules make of a file. */
const fix = (...lines: Array<string>) => {
  const folder = join(root, ".doctest/sort")
  const rules = { "sort/exports": "error", "sort/type-members": "error", "sort/unions": "error" }
  const config = { jsPlugins: ["../../tools/sort.js"], rules }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "oxlint.json"), JSON.stringify(config))
  writeFileSync(join(folder, "sample.ts"), lines.join("\n"))
  const oxlint = join(root, "node_modules/oxlint/bin/oxlint")
  const args = [oxlint, "-c", "oxlint.json", "--no-ignore", "--fix", "sample.ts"]
  spawnSync(process.execPath, args, { cwd: folder })
  const fixed = readFileSync(join(folder, "sample.ts"), "utf8").split("\n")
  rmSync(folder, { recursive: true })
  return fixed
}

it("sorts unions, keeps parentheses, and ends with null and undefined", () => {
  expect(
    fix("type A = string | undefined | ((n: number) => void) | null", "type B = 10 | 9")
  ).toEqual(["type A = ((n: number) => void) | string | null | undefined", "type B = 9 | 10"])
})

it("sorts members with their comments, not across call signatures", () => {
  expect(
    fix("interface A {", "  // c", "  c: 1", "  b(): 2 // b", "  (): 3", "  '~a': 5; a: 4", "}")
  ).toEqual([
    "interface A {",
    "  b(): 2 // b",
    "  // c",
    "  c: 1",
    "  (): 3",
    "  '~a': 5; a: 4",
    "}"
  ])
})

it("sorts exports with their comments", () => {
  expect(
    fix(
      `export * from "./c.ts"`,
      `/** B */`,
      `export * from "./b.ts"`,
      `/** A */`,
      `export * from "./a.ts"`
    )
  ).toEqual([
    `/** A */`,
    `export * from "./a.ts"`,
    `/** B */`,
    `export * from "./b.ts"`,
    `export * from "./c.ts"`
  ])
})
