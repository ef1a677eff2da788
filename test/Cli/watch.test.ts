import { mkdir, rm, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Watch from "../../src/Cli/Dev/Watch.ts"
import { emptyFolder } from "./project.ts"

/** Waits until a condition holds. */
const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

it.live("a watch survives folders that vanish while it reads them, and follows no links", () =>
  Effect.gen(function* () {
    const root = yield* Effect.promise(emptyFolder)
    const outside = yield* Effect.promise(emptyFolder)
    const seen = new Set<string>()
    yield* Watch.make(root, (paths) => paths.forEach((path) => seen.add(path)))
    yield* Effect.promise(async () => {
      for (let i = 0; i < 200; i++) {
        const folder = join(root, `made${i}`)
        await mkdir(join(folder, "a/b/c"), { recursive: true })
        await rm(folder, { force: true, recursive: true })
      }
      await symlink(outside, join(root, "link"))
      await mkdir(join(root, "kept/node_modules"), { recursive: true })
      await writeFile(join(root, "kept/node_modules/index.js"), "")
      await writeFile(join(root, "kept/index.ts"), "")
      await until(() => seen.has(join(root, "kept/index.ts")))
      await writeFile(join(outside, "index.ts"), "")
      await writeFile(join(root, "last.ts"), "")
      await until(() => seen.has(join(root, "last.ts")))
    })
    expect([...seen].filter((path) => path.includes("node_modules/"))).toEqual([])
    expect([...seen].filter((path) => path.includes("link/"))).toEqual([])
  }).pipe(Effect.scoped)
)
