// The shop and the stock as processes, with a collector of their spans.
import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { freePort, node, type Process, serving } from "./process.ts"

const main = "examples/microservices/main.ts"

interface Span {
  readonly kind: number
  readonly name: string
  readonly parentSpanId?: string
  readonly service: string
  readonly spanId: string
  readonly traceId: string
}

interface Export {
  readonly resourceSpans: ReadonlyArray<{
    readonly resource: {
      readonly attributes: ReadonlyArray<{
        readonly key: string
        readonly value: { readonly stringValue?: string }
      }>
    }
    readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<Omit<Span, "service">> }>
  }>
}

const spans: Array<Span> = []

const collect = (text: string) => {
  for (const { resource, scopeSpans } of (JSON.parse(text) as Export).resourceSpans) {
    const named = resource.attributes.find(({ key }) => key === "service.name")!
    const service = named.value.stringValue!
    for (const { spans: some } of scopeSpans)
      spans.push(...some.map((span) => ({ ...span, service })))
  }
}

let collector: Server
let shop: Process
let stock: Process
let url: string
let requests = 0

beforeAll(async () => {
  collector = createServer((request, response) => {
    let text = ""
    request.on("data", (chunk) => (text += chunk))
    request.on("end", () => {
      if (request.url === "/v1/traces") collect(text)
      response.end("{}")
    })
  }).listen(0, "127.0.0.1")
  await once(collector, "listening")
  const env = {
    FLANGE__LOGGING__FORMAT: "json",
    HOST: "127.0.0.1",
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_TRACES_SAMPLER: "always_on"
  }
  const [shopPort, stockPort] = [await freePort(), await freePort()]
  const stockUrl = `http://127.0.0.1:${stockPort}`
  url = `http://127.0.0.1:${shopPort}`
  stock = node([main, "stock"], { ...env, PORT: String(stockPort) })
  shop = node([main, "shop"], {
    ...env,
    PORT: String(shopPort),
    FLANGE__OUTGOING__UPSTREAMS__STOCK__URL: stockUrl
  })
  await Promise.all([serving(stock, `${stockUrl}/readyz`), serving(shop, `${url}/readyz`)])
})

afterAll(() => {
  shop.child.kill("SIGKILL")
  stock.child.kill("SIGKILL")
  collector.close()
})

const offer = async (sku: string, headers: Record<string, string> = {}) => {
  requests++
  const reply = await fetch(`${url}/v1/offers/${sku}`, { headers })
  return { body: (await reply.json()) as Record<string, unknown>, status: reply.status }
}

/** The lines of a log that are of this request. */
const linesOf = (service: Process, requestId: string) =>
  service
    .output()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line["requestId"] === requestId)

describe("the shop and the stock", () => {
  it("the shop offers what the stock has", async () => {
    expect(await offer("lamp")).toEqual({ body: { available: true, sku: "lamp" }, status: 200 })
    expect(await offer("chair")).toEqual({ body: { available: false, sku: "chair" }, status: 200 })
  })

  it("an error of the stock's contract becomes one of the shop's", async () => {
    const { body, status } = await offer("nothing")
    expect([status, body["code"]]).toEqual([404, "OFFER_NOT_FOUND"])
  })

  it("both logs have the request id and the trace id of the caller", async () => {
    const traceId = "0af7651916cd43dd8448eb211c80319c"
    const traceparent = `00-${traceId}-b7ad6b7169203331-01`
    await offer("lamp", { traceparent, "x-request-id": "r-1" })
    for (const [service, text] of [
      [shop, "The stock has 7 of lamp"],
      [stock, "7 of lamp are left"]
    ] as const) {
      const line = () => linesOf(service, "r-1").find(({ message }) => message === text)
      while (line() === undefined) await new Promise((go) => setTimeout(go, 10))
      expect(line()!["traceId"]).toBe(traceId)
    }
  })

  it("without the stock the shop answers 503", async () => {
    stock.child.kill("SIGTERM")
    expect(await stock.exitCode, stock.output()).toBe(0)
    const { body, status } = await offer("lamp")
    expect([status, body["code"]]).toEqual([503, "STOCK_UNAVAILABLE"])
  })

  it("the spans of both are one tree for each request", async () => {
    shop.child.kill("SIGTERM")
    expect(await shop.exitCode, shop.output()).toBe(0)
    const byId = new Map(spans.map((span) => [span.spanId, span]))
    const server = (service: string) =>
      spans.filter(
        ({ kind, name, service: of }) => kind === 2 && of === service && name.includes("/v1/")
      )
    expect(server("shop")).toHaveLength(requests)
    expect(server("stock")).toHaveLength(requests - 1)
    for (const span of server("stock")) {
      const client = byId.get(span.parentSpanId!)!
      const parent = byId.get(client.parentSpanId!)!
      expect([client.service, parent.service, parent.name]).toEqual(["shop", "shop", "offers.read"])
      expect(new Set([span.traceId, client.traceId, parent.traceId]).size).toBe(1)
    }
    expect(new Set(server("shop").map(({ traceId }) => traceId)).size).toBe(requests)
  })
})

it("names its services if none is given", async () => {
  const program = node([main])
  expect(await program.exitCode).toBe(1)
  expect(program.output()).toContain("shop or stock")
})
