import * as Http from "node:http"
import * as Net from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { afterEach, assert, describe, it } from "vitest"
import { socketListener } from "../lanes/combination.ts"
import { type Running, start } from "./process.ts"

const fixture = "test/Server/fixtures/slow.ts"

let running: Running | undefined
afterEach(() => {
  running?.child.kill("SIGKILL")
  running = undefined
})

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
    await sleep(500)
    running.child.kill("SIGTERM")
    await Promise.all(clients)
    assert.deepStrictEqual(lost, [])
    assert.isAbove(answered, 100)
    assert.strictEqual(await running.exit, 0)
  })

  it("answers a request in flight, says close, and closes idle and silent connections", async () => {
    running = await start(fixture)
    const { port } = new URL(running.url)
    const silent = Net.connect(Number(port), "127.0.0.1")
    const idle = new Http.Agent({ keepAlive: true })
    await get(`${running.url}/slow/0`, idle)
    const inFlight = get(`${running.url}/slow/600`, new Http.Agent({ keepAlive: true }))
    await sleep(100)
    const silentClosed = new Promise((resolve) => silent.once("close", resolve))
    running.child.kill("SIGTERM")
    const reply = await inFlight
    assert.strictEqual(reply.status, 200)
    assert.strictEqual(reply.headers.connection, "close")
    await silentClosed
    assert.strictEqual(await running.exit, 0)
  })

  it("goes on accepting during drainDelay, and says close", async () => {
    running = await start(fixture, { FLANGE__APP__DRAIN_DELAY: "1 second" })
    running.child.kill("SIGTERM")
    await sleep(300)
    const reply = await get(`${running.url}/slow/0`)
    assert.strictEqual(reply.status, 200)
    assert.strictEqual(reply.headers.connection, "close")
    assert.strictEqual(await running.exit, 0)
  })

  it("interrupts what is in flight after drainTimeout and answers 503 with a problem", async () => {
    running = await start(fixture, { FLANGE__APP__DRAIN_TIMEOUT: "300 millis" })
    const inFlight = get(`${running.url}/slow/60000`)
    await sleep(200)
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
    await sleep(200)
    request.destroy()
    await sleep(200)
    assert.include(running.output(), "interrupted")
    running.child.kill("SIGTERM")
    assert.strictEqual(await running.exit, 0)
  })
})
