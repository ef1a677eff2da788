// The durable order in memory on the test clock, and in real processes on PostgreSQL.
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { SqlClient } from "effect/sql/SqlClient"
import * as Cluster from "flange/Cluster"
import { TestCluster } from "flange/Cluster/Testing"
import * as Database from "flange/Database"
import { TestApp } from "flange/Testing"
import { it as plain } from "vitest"
import { app } from "../../examples/cluster-jobs/app.ts"
import { open, onEach, postgres } from "../Layers/Database/backends.ts"
import { freePort, node, type Process, serving } from "./process.ts"

const order = { id: "o-1", price: 1999, product: "lamp", quantity: 2 }

const inMemory = TestApp.make(app, {
  replace: [
    [Cluster.plugin, TestCluster.layer],
    [Database.plugin, Database.layerMemory]
  ]
})

const stock = (product: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const rows = yield* sql<{ quantity: number }>`select quantity from stock where product = ${product}`
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
