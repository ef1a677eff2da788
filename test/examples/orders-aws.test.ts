import { createHash } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as DynamoDb from "flange/DynamoDb"
import { TestDynamoDb } from "flange/DynamoDb/Testing"
import * as ObjectStore from "flange/ObjectStore"
import { TestObjectStore } from "flange/ObjectStore/Testing"
import * as Secrets from "flange/Secrets"
import { TestSecrets } from "flange/Secrets/Testing"
import { TestApp } from "flange/Testing"
import { app } from "../../examples/orders-aws/app.ts"
import { start } from "../../examples/orders-aws/local/servers.ts"
import { Order } from "../../examples/orders-aws/orders/Order.ts"
import { OrdersTable } from "../../examples/orders-aws/orders/OrdersTable.ts"
import { node, whileServing } from "./process.ts"

const keyOf = (customer: string) => `local-key-of-${customer}`

const as = (customer: string) => ({ headers: { "x-api-key": keyOf(customer) } })

const pdf = new TextEncoder().encode(`%PDF-1.7\n${"invoice ".repeat(20_000)}`)

const customers = ["acme", "globex"]

/** The app with test doubles. */
const doubles = Effect.gen(function* () {
  const secrets = TestSecrets.make({
    "orders/keys/acme": keyOf("acme"),
    "orders/keys/globex": keyOf("globex")
  })
  const api = yield* TestApp.make(app, {
    config: { auth: { customers } },
    replace: [
      [DynamoDb.plugin, TestDynamoDb.layer([OrdersTable])],
      [ObjectStore.plugin, TestObjectStore.layer()],
      [Secrets.plugin, TestSecrets.layer(secrets)]
    ]
  })
  return {
    api,
    rotate: (customer: string, key: string) => secrets.set(`orders/keys/${customer}`, key)
  }
})

/** The app on local servers, with the clients of AWS. */
const local = Effect.gen(function* () {
  const { secrets, variables } = yield* Effect.acquireRelease(Effect.promise(start), ({ close }) =>
    Effect.promise(close)
  )
  const credentials = {
    accessKeyId: variables["AWS_ACCESS_KEY_ID"],
    region: variables["AWS_REGION"],
    secretAccessKey: variables["AWS_SECRET_ACCESS_KEY"]
  }
  // The client of the secrets finds its credentials in the environment.
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) {
    process.env[name] ??= variables[name]
  }
  const api = yield* TestApp.make(app, {
    config: {
      auth: { customers },
      dynamoDb: { ...credentials, endpoint: variables["DYNAMODB_ENDPOINT"] },
      objectStore: {
        ...credentials,
        backend: "s3",
        bucket: "shop-invoices",
        endpoint: variables["OBJECT_STORE_ENDPOINT"],
        forcePathStyle: true
      },
      secrets: {
        endpoint: variables["FLANGE__SECRETS__ENDPOINT"],
        providers: ["aws"],
        region: variables["AWS_REGION"],
        ttl: "1 millis"
      }
    },
    environment: "local"
  })
  return {
    api,
    rotate: (customer: string, key: string) => secrets.set(`orders/keys/${customer}`, key)
  }
})

describe.each([
  ["test doubles", doubles],
  ["local servers", local]
] as const)("the orders-aws example with %s", (_, open) => {
  it.live("an order is placed, listed, read and paid once", () =>
    Effect.gen(function* () {
      const { api } = yield* open
      const ids: Array<string> = []
      for (const total of [100, 200, 300]) {
        const placed = yield* api.post("/v1/orders", { ...as("acme"), json: { total } })
        const { id, status } = placed.expectStatus(201).decode(Order)
        placed.expectHeader("location", `/v1/orders/${id}`)
        expect(status).toBe("open")
        ids.push(id)
      }
      const totals = (query: string) =>
        Effect.map(api.get(`/v1/orders${query}`, as("acme")), (reply) =>
          (reply.expectStatus(200).json as { orders: ReadonlyArray<Order> }).orders.map(
            ({ total }) => total
          )
        )
      expect(yield* totals("")).toEqual([300, 200, 100])
      expect(yield* totals("?limit=2")).toEqual([300, 200])
      expect(yield* totals(`?after=${ids[1]}`)).toEqual([100])
      const payments = yield* Effect.all(
        [1, 2].map(() => api.post(`/v1/orders/${ids[0]}/payment`, as("acme"))),
        { concurrency: "unbounded" }
      )
      expect(payments.map(({ status }) => status).toSorted()).toEqual([200, 409])
      ;(yield* api.get(`/v1/orders/${ids[0]}`, as("acme"))).expectJsonMatch({ status: "paid" })
      api.expectNoErrors()
    })
  )

  it.live("an invoice is stored and served, in parts as well", () =>
    Effect.gen(function* () {
      const { api } = yield* open
      const placed = yield* api.post("/v1/orders", { ...as("acme"), json: { total: 100 } })
      const { id } = placed.decode(Order)
      const path = `/v1/orders/${id}/invoice`
      ;(yield* api.get(path, as("acme"))).expectProblem("OBJECT_NOT_FOUND", 404)
      const put = (body: Uint8Array<ArrayBuffer>) =>
        api.request("PUT", path, {
          body,
          headers: { ...as("acme").headers, "content-type": "application/octet-stream" }
        })
      ;(yield* put(new TextEncoder().encode("<html>"))).expectProblem("OBJECT_TYPE_REFUSED", 415)
      const invoice = createHash("sha256").update(pdf).digest("hex")
      ;(yield* put(pdf)).expectStatus(200).expectJsonMatch({ id, invoice })
      const whole = (yield* api.get(path, as("acme"))).expectStatus(200)
      whole.expectHeader("content-type", "application/pdf")
      expect(Buffer.compare(whole.bytes, pdf)).toBe(0)
      const range = { headers: { ...as("acme").headers, range: "bytes=0-7" } }
      expect((yield* api.get(path, range)).expectStatus(206).text).toBe("%PDF-1.7")
      api.expectNoErrors()
    })
  )

  it.live("customers see their own orders only, and a key may be replaced", () =>
    Effect.gen(function* () {
      const { api, rotate } = yield* open
      const placed = yield* api.post("/v1/orders", { ...as("acme"), json: { total: 100 } })
      const path = `/v1/orders/${placed.decode(Order).id}`
      for (const reply of [
        yield* api.get(path, as("globex")),
        yield* api.post(`${path}/payment`, as("globex")),
        yield* api.get(`${path}/invoice`, as("globex"))
      ]) {
        reply.expectProblem("ORDER_NOT_FOUND", 404)
      }
      ;(yield* api.get("/v1/orders", as("globex"))).expectJson({ orders: [] })
      ;(yield* api.get("/v1/orders")).expectProblem("UNAUTHENTICATED", 401)
      rotate("acme", "new-key-of-acme")
      // The secret is read again after its time, which is 1 ms here.
      const newKey = { headers: { "x-api-key": "new-key-of-acme" } }
      while ((yield* api.get(path, newKey)).status !== 200) yield* Effect.sleep("5 millis")
      ;(yield* api.get(path, as("acme"))).expectProblem("UNAUTHENTICATED", 401)
    })
  )
})

describe("the orders-aws example as a process", () => {
  it("runs with servers of its own", async () => {
    await whileServing("examples/orders-aws/local.ts", {}, async (url) => {
      const placed = await fetch(`${url}/v1/orders`, {
        body: JSON.stringify({ total: 1250 }),
        headers: { ...as("acme").headers, "content-type": "application/json" },
        method: "POST"
      })
      expect(placed.status).toBe(201)
      const { orders } = (await (await fetch(`${url}/v1/orders`, as("acme"))).json()) as {
        orders: ReadonlyArray<Order>
      }
      expect(orders.map(({ total }) => total)).toEqual([1250])
    })
  })

  it("does not need the table at its start elsewhere, and never creates it", async () => {
    const { close, variables } = await start()
    try {
      const env = {
        ...variables,
        FLANGE__OBJECT_STORE__FORCE_PATH_STYLE: "true",
        FLANGE_ENV: "production",
        HOST: "127.0.0.1"
      }
      await whileServing("examples/orders-aws/main.ts", env, async (url) => {
        const reply = await fetch(`${url}/v1/orders`, as("acme"))
        expect(reply.status).toBe(500)
        expect(await reply.json()).toMatchObject({ code: "TABLE_NOT_FOUND" })
      })
    } finally {
      await close()
    }
  })

  it("does not start without customers, and says which key is wrong", async () => {
    const server = node(["examples/orders-aws/main.ts"], {
      FLANGE__AUTH__CUSTOMERS: "[]",
      FLANGE_ENV: "production"
    })
    expect(await server.exitCode).toBe(1)
    expect(server.output()).toContain("auth.customers")
  })
})
