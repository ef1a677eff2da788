import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { start } from "../../../Server/process.ts"
import { onServers } from "./Backends.ts"

const program = "test/Layers/Database/drills/killed.ts"

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Kills the app in the middle of a transaction, and gives what a second run finds. */
const killed = async (url: string) => {
  const table = `killed_${crypto.randomUUID().replaceAll("-", "")}`
  const env = { DATABASE_URL: url, FLANGE_ENV: "test", TABLE: table }
  const first = await start(program, env)
  const aborted = fetch(`${first.url}/write`, { method: "POST" }).catch((error: unknown) => error)
  await until(() => first.output().includes("inserted"))
  first.child.kill("SIGKILL")
  await first.exit
  expect(await aborted).toBeInstanceOf(Error)
  const second = await start(program, env)
  try {
    // It would wait for a lock of the first, and not see what the first did not commit.
    const rows = await fetch(`${second.url}/read`)
    return [rows.status, await rows.json()]
  } finally {
    second.child.kill("SIGTERM")
    await second.exit
  }
}

describe("kill -9 during a transaction leaves nothing", () => {
  it("on PGlite in a directory", async () => {
    const folder = mkdtempSync(join(tmpdir(), "flange-killed-"))
    try {
      expect(await killed(`pglite://${join(folder, "data")}`)).toEqual([200, []])
    } finally {
      rmSync(folder, { force: true, recursive: true })
    }
  })

  onServers(({ url }) => {
    it("on a server", async () => {
      expect(await killed(url)).toEqual([200, []])
    })
  })
})
