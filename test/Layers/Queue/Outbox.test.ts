import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import { start } from "../../Server/process.ts"
import { onEach, open, postgres } from "../Database/backends.ts"
import { ada } from "../Idempotency/fixtures.ts"

const program = "test/Layers/Queue/outbox.ts"

const order = (url: string) =>
  fetch(`${url}/payments`, {
    body: '{"amount":5}',
    headers: { ...ada("k"), "content-type": "application/json" },
    method: "POST"
  })

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
}

onEach([postgres], "an enqueue in the transaction of a request", () => {
  it.each(["between", "after"])(
    "kill -9 before the commit (%s) leaves neither the write nor the item, and the same key writes both once",
    async (phase) => {
      await Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const url = yield* postgres.fresh
            const sql = yield* open(url)
            const env = { DATABASE_URL: url, FLANGE_ENV: "test" }
            const found = Effect.gen(function* () {
              const orders = yield* sql<{ readonly id: string }>`select id from orders`
              const items = yield* sql<{
                readonly element: string
              }>`select element from flange_queue_items`
              return {
                items: items.map(({ element }) => JSON.parse(element).payload.order as string),
                orders: orders.map(({ id }) => id)
              }
            })
            yield* Effect.promise(async () => {
              const first = await start(program, { ...env, PHASE: phase })
              const aborted = order(first.url).catch((error: unknown) => error)
              await until(() => first.output().includes("written"))
              first.child.kill("SIGKILL")
              await first.exit
              expect(await aborted).toBeInstanceOf(Error)
            })
            expect(yield* found).toEqual({ items: [], orders: [] })
            const ids = yield* Effect.promise(async () => {
              const second = await start(program, env)
              try {
                for (;;) {
                  const reply = await order(second.url)
                  const id: unknown = await reply.json()
                  if (reply.status === 409) continue
                  const again = await order(second.url)
                  expect(again.headers.get("idempotency-replayed")).toBe("true")
                  expect(await again.json()).toBe(id)
                  return id
                }
              } finally {
                second.child.kill("SIGTERM")
                await second.exit
              }
            })
            expect(yield* found).toEqual({ items: [ids], orders: [ids] })
          })
        )
      )
    },
    120_000
  )
})
