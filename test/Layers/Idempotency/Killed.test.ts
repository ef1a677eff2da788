import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import { start } from "../../Server/process.ts"
import { mysql, onEach, open, postgres } from "../Database/backends.ts"
import { ada } from "./fixtures.ts"

const program = "test/Layers/Idempotency/killed.ts"

const pay = (url: string) =>
  fetch(`${url}/payments`, {
    body: '{"amount":5}',
    headers: { ...ada("k"), "content-type": "application/json" },
    method: "POST"
  })

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Kills the app in the phase, starts it again, and sends the request until it is answered. */
const killed = (url: string, phase: "after" | "before") =>
  Effect.promise(async () => {
    const env = { DATABASE_URL: url, FLANGE_ENV: "test" }
    const first = await start(program, { ...env, PHASE: phase })
    const aborted = pay(first.url).catch((error: unknown) => error)
    await until(() => first.output().includes("written"))
    first.child.kill("SIGKILL")
    await first.exit
    expect(await aborted).toBeInstanceOf(Error)
    const second = await start(program, env)
    try {
      const statuses: Array<number> = []
      for (;;) {
        const reply = await pay(second.url)
        if (statuses.at(-1) !== reply.status) statuses.push(reply.status)
        const body: unknown = await reply.json()
        if (reply.status !== 409) {
          const again = await pay(second.url)
          expect(await again.json()).toEqual(body)
          expect(again.headers.get("idempotency-replayed")).toBe("true")
          return { body, isReplayed: reply.headers.get("idempotency-replayed"), statuses }
        }
      }
    } finally {
      second.child.kill("SIGTERM")
      await second.exit
    }
  })

onEach([postgres, mysql], "kill -9 between the write and the reply", (backend) => {
  const run = (phase: "after" | "before") =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const found = yield* killed(url, phase)
          const sql = yield* open(url)
          return { ...found, rows: yield* sql`select id, amount from payments` }
        })
      )
    )

  it("after the commit leaves one row, and the same key gets the stored reply", async () => {
    const { body, isReplayed, rows, statuses } = await run("after")
    expect(rows).toEqual([body])
    expect({ isReplayed, statuses }).toEqual({ isReplayed: "true", statuses: [201] })
  }, 120_000)

  it("before the commit leaves nothing, and the same key writes one row after the lease", async () => {
    const { body, isReplayed, rows, statuses } = await run("before")
    expect(rows).toEqual([body])
    expect(isReplayed).toBeNull()
    expect(statuses.at(-1)).toBe(201)
  }, 120_000)
})
