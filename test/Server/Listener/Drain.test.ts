import { once } from "node:events"
import * as Http from "node:http"
import * as Net from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { afterEach, assert, describe, it } from "vitest"
import { Serving } from "../../../src/Server/Exchange/Serving.ts"
import * as Drain from "../../../src/Server/Listener/Drain.ts"
import { socketListener } from "../../matrix/combination.ts"
import { type Running, start } from "../process.ts"

const fixture = "test/Server/fixtures/slow.ts"

let running: Running | undefined
afterEach(() => {
  running?.child.kill("SIGKILL")
  running = undefined
})

const until = async (isSo: () => boolean) => {
  while (!isSo()) await sleep(5)
}

/** Waits until the process has printed a text. */
const printed = (text: string) => until(() => running!.output().includes(text))

interface Reply {
  readonly body: string
  readonly headers: Http.IncomingHttpHeaders
  readonly status: number
}

const get = (url: string, agent?: Http.Agent): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const request = Http.get(url, { agent: agent ?? false }, (response) => {
      let body = ""
      response.on("data", (chunk) => (body += chunk))
      response.on("end", () =>
        resolve({ body, headers: response.headers, status: response.statusCode! })
      )
      response.on("error", reject)
    })
    request.on("error", (error: NodeJS.ErrnoException) =>
      // A connection that the kernel had not yet handed over is as refused as one that came later.
      reject(request.reusedSocket ? error : Object.assign(error, { fresh: true }))
    )
  })

describe(`drain of the ${socketListener} listener`, () => {
  it("loses no request under load and exits 0", async () => {
    running = await start(fixture)
    const { url } = running
    let answered = 0
    const lost: Array<unknown> = []
    const client = async () => {
      const agent = new Http.Agent({ keepAlive: true, maxSockets: 1 })
      for (;;) {
        try {
          const reply = await get(`${url}/slow/20`, agent)
          if (reply.status === 200) answered++
          else lost.push(reply)
        } catch (error) {
          const { code, fresh } = error as { code?: string; fresh?: boolean }
          if (!(fresh === true && (code === "ECONNREFUSED" || code === "ECONNRESET"))) {
            lost.push(error)
          }
          agent.destroy()
          return
        }
      }
    }
    const clients = Array.from({ length: 20 }, client)
    await until(() => answered >= 100)
    running.child.kill("SIGTERM")
    await Promise.all(clients)
    assert.deepStrictEqual(lost, [])
    assert.strictEqual(await running.exit, 0)
  })

  it("answers a request in flight, says close, and closes idle and silent connections", async () => {
    running = await start(fixture)
    const { port } = new URL(running.url)
    const silent = Net.connect(Number(port), "127.0.0.1")
    const idle = new Http.Agent({ keepAlive: true })
    await get(`${running.url}/slow/0`, idle)
    const inFlight = get(`${running.url}/held`, new Http.Agent({ keepAlive: true }))
    await printed("held")
    const silentClosed = new Promise((resolve) => silent.once("close", resolve))
    running.child.kill("SIGTERM")
    const reply = await inFlight
    assert.strictEqual(reply.status, 200)
    assert.strictEqual(reply.headers.connection, "close")
    await silentClosed
    assert.strictEqual(await running.exit, 0)
  })

  it("goes on accepting during drainDelay, and says close", async () => {
    running = await start(fixture, { FLANGE__APP__DRAIN_DELAY: "1 hour" })
    running.child.kill("SIGTERM")
    await printed("draining")
    const reply = await get(`${running.url}/slow/0`)
    assert.strictEqual(reply.status, 200)
    assert.strictEqual(reply.headers.connection, "close")
    // The second signal cuts the delay.
    running.child.kill("SIGTERM")
    assert.strictEqual(await running.exit, 1)
  })

  it("stops accepting after drainDelay, and exits 0", async () => {
    running = await start(fixture, { FLANGE__APP__DRAIN_DELAY: "50 millis" })
    running.child.kill("SIGTERM")
    assert.strictEqual(await running.exit, 0)
  })

  it("interrupts what is in flight after drainTimeout and answers 503 with a problem", async () => {
    running = await start(fixture, { FLANGE__APP__DRAIN_TIMEOUT: "300 millis" })
    const inFlight = get(`${running.url}/slow/60000`)
    await printed("slow 60000")
    running.child.kill("SIGTERM")
    const reply = await inFlight
    assert.strictEqual(reply.status, 503)
    assert.strictEqual(reply.headers["content-type"], "application/problem+json")
    assert.strictEqual(JSON.parse(reply.body).code, "SERVICE_UNAVAILABLE")
    assert.strictEqual(await running.exit, 0)
    assert.include(running.output(), "interrupted")
  })

  it("interrupts the handler of a client that goes away", async () => {
    running = await start(fixture)
    const request = Http.get(`${running.url}/slow/60000`)
    request.on("error", () => {})
    await printed("slow 60000")
    request.destroy()
    await printed("interrupted")
    running.child.kill("SIGTERM")
    assert.strictEqual(await running.exit, 0)
  })
})

describe("Drain.make", () => {
  /** A server with one connection that is never idle, its drain, an open exchange, and what happened in order. */
  const bind = async (isEnded = false) => {
    const connections = new Set<Drain.Connection>()
    const events: Array<string> = []
    const scope = Scope.makeUnsafe()
    // An app without services.
    const serving = new Serving(Context.empty() as Context.Context<unknown>)
    const server = Net.createServer((socket) => {
      const connection = { destroy: () => socket.destroy(), isEnded, isIdle: false, since: 0 }
      connections.add(connection)
      socket.on("close", () => {
        connections.delete(connection)
        events.push("connection closed")
      })
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    const drain = await Effect.runPromise(
      Drain.make({
        announceClose: () => events.push("close announced"),
        connections,
        requests: Scope.makeUnsafe(),
        server,
        serving
      }).pipe(Scope.provide(scope))
    )
    const client = Net.connect((server.address() as Net.AddressInfo).port, "127.0.0.1")
    client.resume()
    const clientClosed = once(client, "close")
    await once(client, "connect")
    while (connections.size === 0) await sleep(1)
    serving.begin()
    const end = () => {
      events.push("exchange ended")
      serving.end()
    }
    return {
      clientClosed,
      connections,
      /** Runs the drain to its end. */
      drain: async (timeout: number) => {
        await Effect.runPromise(drain({ delay: Duration.zero, timeout: Duration.millis(timeout) }))
        events.push("drained")
      },
      end,
      events,
      /** Makes the exchange one that waits, and ends some time after its interruption. */
      hang: () => {
        const interrupted = Effect.andThen(Effect.sleep(50), Effect.sync(end))
        const fiber = Effect.runFork(Effect.onInterrupt(Effect.never, () => interrupted))
        serving.fibers.add({ fiber, route: { method: "GET", path: "/" } })
      },
      scope,
      server,
      socket: [...connections][0]!
    }
  }

  it("waits for exchanges that outlive their connections", async () => {
    const { connections, drain, end, events, server, socket } = await bind()
    const drained = drain(60_000)
    while (server.listening) await sleep(1)
    socket.destroy()
    while (connections.size > 0) await sleep(1)
    // Longer than connections are looked at.
    await sleep(100)
    end()
    await drained
    assert.deepStrictEqual(events, [
      "close announced",
      "connection closed",
      "exchange ended",
      "drained"
    ])
  })

  it("interrupts exchanges that have not ended within the timeout, and waits for their end", async () => {
    const { drain, events, hang, socket } = await bind()
    hang()
    socket.destroy()
    await drain(50)
    assert.deepStrictEqual(events, [
      "close announced",
      "connection closed",
      "exchange ended",
      "drained"
    ])
  })

  it("closes a connection whose client does not close it after the last reply", async () => {
    const { clientClosed, drain, end, events } = await bind(true)
    end()
    await drain(60_000)
    await clientClosed
    assert.deepStrictEqual(events, [
      "exchange ended",
      "close announced",
      "connection closed",
      "drained"
    ])
  })

  it("cuts a connection that stays busy after the interruption", async () => {
    const { clientClosed, drain, end, events } = await bind()
    end()
    await drain(50)
    await clientClosed
    assert.deepStrictEqual(events.slice(0, 3), ["exchange ended", "close announced", "drained"])
  })

  it("closes the server and cuts its connections when the scope ends", async () => {
    const { clientClosed, events, scope, server } = await bind()
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await clientClosed
    assert.isFalse(server.listening)
    assert.notInclude(events, "close announced")
  })
})
