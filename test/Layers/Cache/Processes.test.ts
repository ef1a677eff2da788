import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { afterAll, beforeAll, expect, it } from "vitest"
import { freePort, hasRedis, startRedis } from "./backends.ts"

const file = join(import.meta.dirname, "fixtures/replica.ts")

let port = 0
let server: ChildProcess | undefined

beforeAll(async () => {
  if (!hasRedis) return
  port = await freePort()
  server = await startRedis(port)
})

afterAll(() => void server?.kill())

it.skipIf(!hasRedis)(
  "a thousand misses in two processes with the lock load once",
  async () => {
    const children = [1, 2].map(() => {
      const child = spawn(process.execPath, ["--conditions=flange-source", file, String(port)], {
        stdio: ["pipe", "pipe", "inherit"]
      })
      return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
    })
    for (const { lines } of children) expect((await lines.next()).value).toBe("ready")
    for (const { child } of children) child.stdin.write("go\n")
    const loads = await Promise.all(
      children.map(async ({ lines }) => Number((await lines.next()).value))
    )
    expect(loads.toSorted()).toEqual([0, 1])
  },
  60_000
)
