// The durable order in memory on the test clock, and in real processes on PostgreSQL.
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import * as Cluster from "flange/Cluster"
import { TestCluster } from "flange/Cluster/Testing"
import { TestApp } from "flange/Testing"
import { app } from "../../examples/cluster-jobs/app.ts"
import { onEach, open, postgres } from "../Layers/Database/backends.ts"
import { freePort, node, type Process, serving } from "./process.ts"

const order = { id: "o-1", price: 1999, product: "lamp", quantity: 2 }

const inMemory = TestApp.make(app, {
  config: { app: { role: "all" }, database: { url: "pglite://memory" }, jobs: { runner: "local" } },
  replace: [[Cluster.plugin, TestCluster.layer]]
})

const stock = (product: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const rows = yield* sql<{
      quantity: number
    }>`select quantity from stock where product = ${product}`
    return rows[0]?.quantity
  })

/** Moves the clock until the effect has ended: each step of the order needs its turn. */
const whileTimePasses = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    while (fiber.pollUnsafe() === undefined) {
      yield* TestClock.adjust("100 millis")
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
    return yield* Fiber.join(fiber)
  })

describe("a durable order in memory", () => {
  it.effect("is packed for the configured time, and the caller who waits gets its steps", () =>
    Effect.gen(function* () {
      const test = yield* inMemory
      expect((yield* test.put("/v1/orders/o-1", { json: order })).status).toBe(202)
      const status = Effect.map(test.get("/v1/orders/o-1"), ({ json }) => json)
      const reached = (step: string): Effect.Effect<unknown> =>
        Effect.flatMap(status, (found) =>
          JSON.stringify(found).includes(step)
            ? Effect.succeed(found)
            : Effect.andThen(
                Effect.promise(() => new Promise((resolve) => setImmediate(resolve))),
                reached(step)
              )
        ) as Effect.Effect<unknown>
      expect(yield* reached("charge")).toEqual({ state: "running", steps: ["reserve", "charge"] })
      yield* TestClock.adjust("1999 millis")
      expect(yield* status).toEqual({ state: "running", steps: ["reserve", "charge"] })
      const shipped = { state: "shipped", steps: ["reserve", "charge", "ship"] }
      // Joins the run that there is.
      expect(yield* whileTimePasses(test.client.orders.place({ payload: order }))).toEqual(shipped)
      expect(yield* status).toEqual(shipped)
      expect(yield* test.run(stock("lamp"))).toBe(98)
      test.expectNoErrors()
    })
  )

  it.effect("a failure of a later step undoes the steps before it, the last first", () =>
    Effect.gen(function* () {
      const test = yield* inMemory
      yield* test.run(
        Effect.flatMap(SqlClient, (sql) => sql`insert into stock values ('fragile vase', 3)`)
      )
      const vase = { ...order, id: "o-2", product: "fragile vase" }
      const error = yield* whileTimePasses(Effect.flip(test.client.orders.place({ payload: vase })))
      expect(error).toMatchObject({ _tag: "OutOfStock", product: "fragile vase" })
      expect((yield* test.get("/v1/orders/o-2")).json).toEqual({
        error: "OutOfStock",
        state: "failed",
        steps: ["reserve", "charge", "refund", "release"]
      })
      expect(yield* test.run(stock("fragile vase"))).toBe(3)
    })
  )

  it.effect("a declined payment releases the stock, and is the typed error of the caller", () =>
    Effect.gen(function* () {
      const test = yield* inMemory
      const dear = { ...order, id: "o-3", price: 100_001 }
      const error = yield* whileTimePasses(Effect.flip(test.client.orders.place({ payload: dear })))
      expect(error).toMatchObject({ _tag: "PaymentDeclined", id: "o-3" })
      const status = yield* test.get("/v1/orders/o-3")
      expect(status.json).toEqual({
        error: "PaymentDeclined",
        state: "failed",
        steps: ["reserve", "release"]
      })
      expect(yield* test.run(stock("lamp"))).toBe(100)
    })
  )

  it.effect("too little stock is a 409 at once, and an unknown order is a 404", () =>
    Effect.gen(function* () {
      const test = yield* inMemory
      const many = { ...order, product: "sofa" }
      const refused = yield* whileTimePasses(test.post("/v1/orders", { json: many }))
      refused.expectProblem("OUT_OF_STOCK", 409)
      const unknown = yield* test.get("/v1/orders/o-9")
      unknown.expectProblem("ORDER_NOT_FOUND", 404)
    })
  )

  it.effect("the lines of the run have the id of the request and of the execution", () =>
    Effect.gen(function* () {
      const test = yield* inMemory
      const placed = yield* whileTimePasses(
        test.post("/v1/orders", { headers: { "x-request-id": "r-7" }, json: order })
      )
      placed.expectStatus(200)
      const line = test.logs.find(({ message }) => message === "Order o-1 is shipped")!
      expect(line.annotations).toMatchObject({ workflow: "Order" })
      expect(JSON.stringify(line)).toContain("r-7")
    })
  )
})

/** Starts the example in a role. */
const started = async (
  database: string,
  role: string,
  env: Record<string, string> = {}
): Promise<Process & { readonly url: string }> => {
  const port = await freePort()
  const child = node(["examples/cluster-jobs/main.ts"], {
    DATABASE_URL: database,
    FLANGE_ROLE: role,
    FLANGE__CLUSTER__LOCK_EXPIRY: "3s",
    PORT: String(port),
    ...env
  })
  const url = `http://127.0.0.1:${port}`
  await serving(child, `${url}/readyz`)
  return { ...child, url }
}

const put = (url: string, { id, ...rest }: typeof order, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/orders/${id}`, {
    body: JSON.stringify(rest),
    headers: { "content-type": "application/json", ...headers },
    method: "PUT"
  })

/** Asks for the status until it has what is awaited. */
const until = async (
  url: string,
  id: string,
  isReached: (status: { readonly state: string; readonly steps: ReadonlyArray<string> }) => boolean
) => {
  for (;;) {
    const reply = await fetch(`${url}/v1/orders/${id}`)
    const status = (await reply.json()) as { state: string; steps: ReadonlyArray<string> }
    if (reply.status === 200 && isReached(status)) return status
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const shipped = { state: "shipped", steps: ["reserve", "charge", "ship"] }

onEach([postgres], "a durable order in processes", (backend) => {
  it.live(
    "survives kill -9 of its worker between two steps, and no step is repeated",
    () =>
      Effect.gen(function* () {
        const database = yield* backend.fresh
        const sql = yield* open(database)
        yield* Effect.promise(async () => {
          const all: Array<Process> = []
          const start = async (role: string, env: Record<string, string> = {}) => {
            const made = await started(database, role, env)
            all.push(made)
            return made
          }
          try {
            const server = await start("server")
            // A server starts the workflow and holds no shard: without a worker, nothing is done.
            const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            const accepted = await put(server.url, order, { traceparent, "x-request-id": "r-42" })
            expect(accepted.status).toBe(202)
            // Up to a minute a durable sleep is an activity, so the second worker sleeps for its own time.
            const slow = { FLANGE__ORDERS__PACKING: "59 seconds" }
            const first = await start("worker", slow)
            expect((await fetch(`${first.url}/v1/orders/o-1`)).status).toBe(404)
            await until(server.url, "o-1", ({ steps }) => steps.includes("charge"))
            first.child.kill("SIGKILL")
            await first.exitCode
            const second = await start("worker", { FLANGE__ORDERS__PACKING: "1 milli" })
            expect(await until(server.url, "o-1", ({ state }) => state === "shipped")).toEqual(
              shipped
            )
            // The line of the worker has the id of the request that the server took.
            expect(second.output()).toMatch(
              /r-42[\s\S]*Order o-1 is shipped|Order o-1 is shipped[\s\S]*r-42/
            )
            // The caller who waits gets the result of a worker, and its typed error.
            const post = (body: object) =>
              fetch(`${server.url}/v1/orders`, {
                body: JSON.stringify(body),
                headers: { "content-type": "application/json" },
                method: "POST"
              })
            const again = await post(order)
            expect([again.status, await again.json()]).toEqual([200, shipped])
            const declined = await post({ ...order, id: "o-2", price: 100_001 })
            expect(declined.status).toBe(402)
            expect(await declined.json()).toMatchObject({ code: "PAYMENT_DECLINED", id: "o-2" })
            // The notice that the last step has enqueued.
            while (!second.output().includes("The customer is told of order o-1")) {
              if (second.child.exitCode !== null) throw new Error("The worker has ended")
              await new Promise((resolve) => setTimeout(resolve, 50))
            }
            // A job is due in the scheduler only.
            const scheduler = await start("scheduler")
            while (!scheduler.output().includes("Open orders: 0")) {
              if (scheduler.child.exitCode !== null) throw new Error("The scheduler has ended")
              await new Promise((resolve) => setTimeout(resolve, 50))
            }
            expect(server.output() + second.output()).not.toContain("Open orders")
            for (const { child, exitCode } of [scheduler, second, server]) {
              child.kill("SIGTERM")
              expect(await exitCode).toBe(0)
            }
          } catch (error) {
            throw new Error(all.map(({ output }) => output()).join("\n---\n"), { cause: error })
          } finally {
            for (const { child } of all) child.kill("SIGKILL")
          }
        })
        const steps = yield* sql<{ step: string; worker: number }>`
          select step, worker from order_steps where order_id = 'o-1' order by at`
        expect(steps.map(({ step }) => step)).toEqual(["reserve", "charge", "ship"])
        expect(steps[0]!.worker).toBe(steps[1]!.worker)
        expect(steps[2]!.worker).not.toBe(steps[1]!.worker)
        const [left] = yield* sql<{
          quantity: number
        }>`select quantity from stock where product = 'lamp'`
        expect(left!.quantity).toBe(98)
      }),
    120_000
  )
})
