/** `npm run check` finds Effects that are made and never run. */
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { describe, expect, it } from "vitest"

const root = join(import.meta.dirname, "..")
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const folder = join(root, ".doctest/check")

const guide = readFileSync(join(root, "docs/getting-started.md"), "utf8")

/** How this repository checks itself, and how getting started sets up a project. */
const setups = {
  "docs/getting-started.md": {
    command: /scripts\.check=([^"]+)"/.exec(guide)![1]!,
    config: JSON.parse(/```json\n(\{\n {2}"compilerOptions"[^]*?)```/.exec(guide)![1]!)
  },
  "package.json": {
    command: manifest.scripts.check,
    config: { extends: "../../tsconfig.json" }
  }
}

const check = (setup: keyof typeof setups, statement: string) => {
  const { command, config } = setups[setup]
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, "program.ts"),
    `import * as Effect from "effect/Effect"

export const program = Effect.gen(function* () {
  ${statement}
  yield* Effect.log("second")
})
`
  )
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ ...config, files: ["program.ts"], include: [] })
  )
  const { status, stdout } = spawnSync(command, {
    cwd: folder,
    encoding: "utf8",
    env: {
      ...process.env,
      PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`
    },
    shell: true
  })
  return { failed: status !== 0, stdout }
}

describe.each(["docs/getting-started.md", "package.json"] as const)("the check of %s", (setup) => {
  it("fails at a forgotten yield* and at a yield without a star", () => {
    const forgotten = check(setup, 'Effect.log("first")')
    expect(forgotten.stdout).toContain("program.ts:4:3")
    expect(forgotten.stdout).toContain("effect(floatingEffect)")
    expect(forgotten.failed).toBe(true)

    const bare = check(setup, 'yield Effect.log("first")')
    expect(bare.stdout).toContain("program.ts:4:3")
    expect(bare.failed).toBe(true)
  })

  it("passes if every Effect is run", () => {
    const { failed, stdout } = check(setup, 'yield* Effect.log("first")')
    expect(stdout).toContain("Checked 1 files")
    expect(failed).toBe(false)
  })

  it("fails at a wrong type and at an unused name", () => {
    const { failed, stdout } = check(setup, "const count: number = yield* Effect.succeed('1')")
    expect(stdout).toContain("TS2322: Type 'string' is not assignable to type 'number'")
    expect(stdout).toContain("TS6133: 'count' is declared but its value is never read")
    expect(failed).toBe(true)
  })
})
