import { fork } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"

const program = join(import.meta.dirname, "../../../src/Layers/Database/Pglite/PgliteCompanion.ts")

describe("the process that keeps a data directory open", () => {
  let data: string
  afterAll(() => rm(data, { force: true, recursive: true }))

  it("ignores the signals of its group, and removes its socket when its parent disconnects", async () => {
    data = await mkdtemp(join(tmpdir(), "flange-companion-"))
    const child = fork(program, [join(data, "pg")], { execArgv: ["--conditions=flange-source"] })
    const exit = once(child, "exit")
    const [{ value: socket }] = await once(child, "message")
    for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) child.kill(signal)
    child.disconnect()
    assert.deepStrictEqual(await exit, [0, null])
    assert.isFalse(existsSync(dirname(socket)))
  })
})
