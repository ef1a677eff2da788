import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { freePort } from "../Redis/server.ts"
import { hasRedis, startRedis } from "./backends.ts"

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
      const lines: Array<string> = []
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        lines.push(...text.split("\n").filter((line) => line !== ""))
      })
      return { child, lines }
    })
    const line = (number: number) =>
      Promise.all(
        children.map(async ({ child, lines }) => {
          while (lines.length <= number && child.exitCode === null) {
            await new Promise((resolve) => setTimeout(resolve, 10))
          }
          return lines[number]
        })
      )
    expect(await line(0)).toEqual(["ready", "ready"])
    for (const { child } of children) child.stdin.end("go\n")
    expect((await line(1)).toSorted()).toEqual(["0", "1"])
  },
  60_000
)
