// README lists every example, and every example says how to run it and what to try.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { root } from "./process.ts"

const names = readdirSync(join(root, "examples")).sort()

it("README lists the examples in order", () => {
  const [, list] = readFileSync(join(root, "README.md"), "utf8").split("\n## Examples\n")
  const listed = [
    ...list!.split("\n## ")[0]!.matchAll(/^\| \[(.+?)\]\(examples\/(.+?)\/main\.ts\)/gm)
  ]
  expect(listed.map(([, name]) => name)).toEqual(names)
  for (const [, name, folder] of listed) expect(folder).toBe(name)
})

describe.each(names)("the main program of %s", (name) => {
  it("says how to run it and what to try", () => {
    const [head] = readFileSync(join(root, "examples", name, "main.ts"), "utf8").split("\nimport ")
    expect(head).toMatch(/Run: np[mx] /)
    expect(head).toContain("Try: ")
  })
})
