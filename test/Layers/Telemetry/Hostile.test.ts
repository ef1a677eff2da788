/** What values of attributes and collectors with other protocols do to an exporter. */
import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Exporter } from "../../../src/Layers/Telemetry/Export/Exporter.ts"
import { Losses } from "../../../src/Layers/Telemetry/Export/Losses.ts"
import { formats } from "../../../src/Layers/Telemetry/Otlp/Envelope.ts"
import { Json } from "../../../src/Layers/Telemetry/Otlp/Json.ts"
import { Protobuf } from "../../../src/Layers/Telemetry/Otlp/Protobuf.ts"
import * as Values from "../../../src/Layers/Telemetry/Otlp/Values.ts"

/** Answers every request on a connection. */
type Act = (socket: Socket) => unknown

const listen = (act: Act) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on("error", () => {}).on("data", () => act(socket))
      })
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      return { server, sockets }
    }),
    ({ server, sockets }) =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
  ).pipe(
    Effect.map(
      ({ server }) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`
    )
  )

/** Returns an exporter of texts and what it tells. */
const exporter = (url: string, more: { exportTimeout?: number; maxBytes?: number } = {}) => {
  const told: Array<string> = []
  const losses = new Losses((message) => told.push(message))
  const made = new Exporter<string>({
    batchSize: Infinity,
    delay: 1,
    encode: (sink, record) => {
      sink.text(1, "text", record)
      return 1
    },
    exportTimeout: 100_000_000,
    format: formats["http/protobuf"],
    losses,
    maxBytes: 1_000_000,
    maxRecords: Infinity,
    resource: {},
    signal: "traces",
    target: { compression: "none", headers: {}, timeout: 100_000_000, url },
    ...more
  })
  return { losses, made, told }
}

describe("a collector", () => {
  it.live("that switches to another protocol does not keep the exporter from its end", () =>
    Effect.gen(function* () {
      const url = yield* listen((socket) =>
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
        )
      )
      const { losses, made, told } = exporter(url)
      made.append("record")
      yield* Effect.promise(() => made.close(100_000_000))
      losses.close()
      expect(told).toHaveLength(1)
      expect(told[0]).toContain("the connection closed without a reply")
    })
  )

  it.live("that asks for no wait again and again is tried with growing waits", () =>
    Effect.gen(function* () {
      let requests = 0
      const url = yield* listen((socket) => {
        requests++
        socket.write(
          "HTTP/1.1 503 No\r\nretry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\ncontent-length: 0\r\n\r\n"
        )
      })
      const { losses, made } = exporter(url, { exportTimeout: 300 })
      made.append("record")
      const isLost = () => losses.of("traces", "failed") === 1
      while (!isLost()) yield* Effect.sleep("10 millis")
      yield* Effect.promise(() => made.close(1))
      // The second one begins when the time of the batch is over.
      expect(requests).toBeLessThanOrEqual(2)
    })
  )
})

it("a record that is larger than the rest of the queue is dropped", () => {
  const { losses, made } = exporter("http://127.0.0.1:1/", { maxBytes: 1000 })
  made.append("x".repeat(900))
  made.append("x".repeat(900))
  expect(losses.of("traces", "queue_full")).toBe(1)
  made.append("x")
  expect(losses.of("traces", "queue_full")).toBe(1)
})

it("an error without a text is counted as an error of the encoding", () => {
  const { losses, made, told } = exporter("http://127.0.0.1:1/")
  const bare: unknown = Object.create(null)
  made.append(
    Object.defineProperty({}, "length", {
      get: () => {
        throw bare
      }
    }) as string
  )
  losses.close()
  expect(told[0]).toContain("1 spans, because a value of theirs could not be read")
})

describe.each([
  ["json", () => new Json()],
  ["protobuf", () => new Protobuf()]
])("an attribute in %s", (_, make) => {
  const sizeOf = (value: unknown): number => {
    const sink = make()
    Values.attributes(sink, 1, ["value", value], 16_384)
    return sink.take().length
  }

  it("with many cycles is bounded", () => {
    const cyclic: Record<string, unknown> = {}
    for (let i = 0; i < 50; i++) cyclic[`member${i}`] = cyclic
    expect(sizeOf(cyclic)).toBeLessThan(100_000)
  })

  it("that shares a list at each of its levels is bounded", () => {
    let shared: unknown = "end"
    for (let i = 0; i < 16; i++) shared = Array.from({ length: 100 }, () => shared)
    expect(sizeOf(shared)).toBeLessThan(10_000_000)
  })

  it.each([
    [
      "a getter that throws",
      {
        get broken() {
          throw Object.create(null)
        }
      }
    ],
    [
      "a revoked proxy",
      (() => {
        const { proxy, revoke } = Proxy.revocable({}, {})
        revoke()
        return proxy
      })()
    ]
  ])("that is %s is written", (_name, value) => {
    expect(sizeOf(value)).toBeGreaterThan(0)
  })
})

it("half of a surrogate pair is replaced in JSON, which a collector would refuse", () => {
  const sink = new Json()
  Values.attributes(sink, 1, ["\ud800", "\ud800"], 16_384)
  const text = new TextDecoder().decode(sink.take())
  expect(text).not.toContain("\\ud800")
  expect(text).toContain("\ufffd")
})
