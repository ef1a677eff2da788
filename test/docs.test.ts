// Every code fence of the documents is type-checked, and run unless it says `no-run`.
// The rules of the fences are in docs.ts.
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { snippetsOf } from "./docs.ts"
import { typeCheck } from "./types/harness/Harness.ts"

const root = join(import.meta.dirname, "..")
const folder = join(root, ".doctest/snippets")

const snippets = globSync(["README.md", "docs/**/*.md", "src/**/*.ts"], { cwd: root })
  .map((file) => file.replaceAll("\\", "/"))
  .toSorted()
  .flatMap((file) => snippetsOf(file, readFileSync(join(root, file), "utf8")))

const write = () => {
  rmSync(folder, { force: true, recursive: true })
  for (const { path, text } of snippets) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  if (snippets.length === 0) return []
  return typeCheck(
    {
      compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
      extends: "../tsconfig.json",
      files: snippets.map(({ path }) => `./snippets/${path}`),
      include: []
    },
    "docs"
  )
}

const diagnostics = write()

describe.each(snippets)("$name", ({ path, run }) => {
  it("compiles", () => {
    const errors = diagnostics.filter((d) => d.file.endsWith(`snippets/${path}`))
    expect(errors.map((d) => `line ${d.line}: ${d.message}`)).toEqual([])
  })
  if (run) {
    it("runs", async () => {
      await import(join(folder, path))
    })
  }
})

describe("the fences", () => {
  const markdown = (...lines: Array<string>) => snippetsOf("docs/a.md", lines.join("\n"))

  it("keep their lines, are joined by file, and leave other languages alone", () => {
    const found = markdown(
      "```ts file=a.ts",
      "const a = 1",
      "```",
      "```sh",
      "exit 1",
      "```",
      "```ts file=a.ts no-run",
      "a + 1",
      "```",
      "```ts",
      "2",
      "```"
    )
    expect(found.map(({ name, path, run }) => ({ name, path, run }))).toEqual([
      { name: "docs/a.md:1", path: "docs_a_md/a.ts", run: false },
      { name: "docs/a.md:10", path: "docs_a_md/line10.ts", run: true }
    ])
    expect(found[0]!.text.split("\n").slice(0, 8)).toEqual([
      "",
      "const a = 1",
      "",
      "",
      "",
      "",
      "",
      "a + 1"
    ])
  })

  it("turn `// =>` into assertions", () => {
    const [found] = markdown(
      "```ts",
      "[1, 2].map(",
      "  (n) => n",
      ") // => [1, 2]",
      "console.log(1) // => 2",
      "```"
    )
    expect(found!.text).toContain("__equal([1, 2].map(\n  (n) => n\n), [1, 2])")
    expect(found!.text).toContain("__equal(1, 2)")
  })

  it("are found in JSDoc", () => {
    const found = snippetsOf(
      "src/A.ts",
      [
        "/**",
        " * @example",
        " * ```ts",
        " * if (true) {",
        " *   1",
        " * }",
        " * ```",
        " */",
        "const x = `",
        "```ts",
        "`"
      ].join("\n")
    )
    expect(found).toHaveLength(1)
    expect(found[0]!.text).toBe("\n\n\nif (true) {\n  1\n}\nexport {}\n")
  })
})
