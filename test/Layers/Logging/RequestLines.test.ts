import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import { ApiError, Plugin, RequestFields, Route } from "flange"
import { MockAuth } from "flange/Auth/Testing"
import { expect, it } from "vitest"
import { listening, parsed } from "./lines.ts"

class OutOfStock extends ApiError.make<OutOfStock>()(
  "OutOfStock",
  { code: "OUT_OF_STOCK", detail: "Nothing is left", status: 503 },
  { sku: Schema.String }
) {}

class OrdersApi extends HttpApiGroup.make("orders").add(
  HttpApiEndpoint.get("read", "/orders/:id", { params: { id: Schema.String } }),
  HttpApiEndpoint.get("take", "/take", { error: OutOfStock })
) {}

const Orders = Plugin.make("app:orders", {
  routes: [
    Route.protected(OrdersApi, (handlers) =>
      handlers.handleAll({
        read: () =>
          RequestFields.set({ sessionToken: "hunter2", tenant: "acme" }).pipe(
            Effect.andThen(Effect.logInfo("inside"))
          ),
        take: () =>
          Effect.fail(
            Object.assign(new OutOfStock({ sku: "a1" }), {
              cause: new Error("outer", { cause: new Error("inner") })
            })
          )
      })
    )
  ]
})

const trace = {
  spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
  traceId: "a".repeat(32)
}
const traceparent = `00-${trace.traceId}-${"b".repeat(16)}-01`

const Traced = Plugin.make("app:traced", {
  layer: Layer.succeed(
    Tracer.Tracer,
    Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })
  )
})

it("every line of a request has its id, its route, its caller and its span", async () => {
  const { lines, url } = await listening([MockAuth.as("ada"), Orders, Traced])
  const before = lines.length
  await fetch(`${url}/orders/7`, { headers: { traceparent } })
  const [inside, access, ...rest] = parsed(lines.slice(before))
  expect(rest).toEqual([])
  const common = {
    ...trace,
    requestId: expect.any(String),
    route: "/orders/:id",
    service: "shop",
    userId: "ada",
    version: "1.2.0"
  }
  expect(inside).toMatchObject({ ...common, level: "info", message: "inside" })
  expect(access).toMatchObject({ ...common, path: "/orders/7", status: 204, tenant: "acme" })
  expect(access!["requestId"]).toBe(inside!["requestId"])
})

it("a machine has a clientId in every line of its request", async () => {
  const robot = MockAuth.as("robot", { isServiceAccount: true })
  const { lines, url } = await listening([robot, Orders])
  const before = lines.length
  await fetch(`${url}/orders/7`)
  for (const line of parsed(lines.slice(before))) {
    expect(line).toMatchObject({ clientId: "robot" })
    expect(line).not.toHaveProperty("userId")
  }
})

it("a field of a request with the name of a secret is hidden in the access line", async () => {
  const { lines, url } = await listening([MockAuth.as("ada"), Orders])
  await fetch(`${url}/orders/7`)
  expect(parsed(lines).at(-1)).toMatchObject({ sessionToken: "<redacted>", tenant: "acme" })
})

it("a declared error is logged with its code, its fields and its chain of causes", async () => {
  const { lines, url } = await listening([MockAuth.as("ada"), Orders])
  await fetch(`${url}/take`)
  const line = parsed(lines).find(({ level }) => level === "error")
  expect(line).toMatchObject({
    code: "OUT_OF_STOCK",
    error: {
      cause: { cause: { message: "inner" }, message: "outer" },
      sku: "a1",
      type: "OutOfStock"
    },
    message: "Request failed",
    route: "/take",
    status: 503,
    userId: "ada"
  })
})

it("names in logging.redact are hidden besides the usual ones", async () => {
  const Chatty = Plugin.make("app:chatty", {
    layer: Layer.effectDiscard(Effect.logInfo("x", { i_ban: "DE1", password: "p", size: 1 }))
  })
  const { lines } = await listening([Chatty], { logging: { redact: ["IBAN"] } })
  const { data } = parsed(lines).find(({ message }) => message === "x")!
  expect(data).toEqual({ i_ban: "<redacted>", password: "<redacted>", size: 1 })
})
