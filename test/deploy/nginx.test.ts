// deploy/nginx in front of services: real nginx (apt-get install -y nginx-light), real processes,
// both listeners.
import { randomUUID } from "node:crypto"
import * as Http from "node:http"
import * as Net from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { ask, post } from "./client.ts"
import { type Nginx, startNginx, unavailable } from "./nginx.ts"
import { type Instance, type Relay, startRelay, startService } from "./service.ts"

const mebibyte = 1024 * 1024
const trusted = { FLANGE__SERVER__TRUSTED_PROXIES: "127.0.0.1" }

/** A connection that sends what it is told, and keeps what comes. */
const connection = (port: number) => {
  const socket = Net.connect(port, "127.0.0.1")
  let received = ""
  socket.on("data", (chunk) => (received += chunk))
  socket.on("error", () => {})
  return { received: () => received, socket }
}

/** A request without a reply of a service. */
interface Lost {
  readonly id: string
  readonly kind: "get" | "post"
  readonly reply: { readonly status: number }
}

const until = async (condition: () => boolean) => {
  while (!condition()) await sleep(10)
}

describe.skipIf(unavailable !== undefined).each(["node", "proxied"] as const)(
  "a service on the listener %s behind nginx",
  (listener) => {
    let service: Instance
    let relay: Relay
    let nginx: Nginx
    beforeAll(async () => {
      service = await startService(listener, trusted)
      relay = await startRelay(service.address)
      nginx = await startNginx([relay.address])
    })
    afterAll(async () => {
      await nginx?.stop()
      relay?.close()
      service?.kill("SIGKILL")
    })

    it("answers, and its problem documents are not touched", async () => {
      expect((await post(`${nginx.url}/probe/work/0`, { name: "Lamp" })).status).toBe(200)
      const missing = await ask(`${nginx.url}/nowhere`)
      expect([missing.status, missing.json.code]).toEqual([404, "ROUTE_NOT_FOUND"])
      const wrong = await ask(`${nginx.url}/probe/seen`, { method: "PATCH" })
      expect([wrong.status, wrong.json.detail]).not.toContain("proxy")
      expect(wrong.headers.allow).toMatch(/^GET, HEAD/)
    })

    it("knows its client, whatever that writes into headers", async () => {
      const headers = {
        forwarded: "for=6.6.6.6",
        "x-forwarded-for": "6.6.6.6",
        "x-real-ip": "6.6.6.6"
      }
      const { json } = await ask(`${nginx.url}/probe/seen`, { headers, localAddress: "127.0.0.2" })
      expect(json.ip).toBe("127.0.0.2")
    })

    it("has the request id of its caller where that is sane, and nginx's log has it too", async () => {
      for (const sent of ["mine-1.2_3", "x".repeat(128), "x".repeat(129), "two words", undefined]) {
        const headers = sent === undefined ? {} : { "x-request-id": sent }
        const reply = await ask(`${nginx.url}/probe/seen`, { headers })
        const id = reply.headers["x-request-id"]
        expect(reply.json.requestId).toBe(id)
        expect(id).toMatch(/^[A-Za-z0-9._-]{1,128}$/)
        expect(id === sent).toBe(sent?.length !== 129 && sent !== undefined && !sent.includes(" "))
        await until(() => nginx.accessLog().some(({ requestId }) => requestId === id))
      }
    })

    it("never sees a body of 9 MiB, and sees one of 8 MiB", async () => {
      relay.forget()
      const send = (length: number) =>
        ask(`${nginx.url}/probe/work/0`, {
          body: Buffer.alloc(length, 0x20),
          headers: { "content-type": "application/json", expect: "100-continue" },
          method: "POST"
        })
      const refused = await send(9 * mebibyte)
      expect(refused.status).toBe(413)
      expect(refused.headers["content-type"]).toBe("application/problem+json")
      expect(refused.json).toMatchObject({
        code: "PAYLOAD_TOO_LARGE",
        correlationId: refused.headers["x-request-id"],
        status: 413
      })
      expect(relay.seen()).toEqual([])
      const passed = await send(8 * mebibyte)
      expect([passed.status, passed.json.code]).toEqual([400, "MALFORMED_REQUEST"])
    })

    it("gets many requests of many clients on one connection", async () => {
      relay.forget()
      for (let i = 0; i < 20; i++) {
        await ask(`${nginx.url}/probe/seen`, { headers: { connection: "close" } })
      }
      expect(relay.seen()).toHaveLength(1)
      const heads = relay.seen()[0]!.match(/^GET \S+ HTTP\/1\.1\r$/gm)
      expect(heads).toHaveLength(20)
      expect(relay.seen()[0]).not.toMatch(/^connection:/im)
    })

    it("gets a body when it is whole", async () => {
      relay.forget()
      const body = JSON.stringify({ name: "Lamp" })
      const client = connection(nginx.port)
      client.socket.write(
        `POST /probe/work/0 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`
      )
      await sleep(300)
      expect(relay.seen()).toEqual([])
      client.socket.write(body.slice(5))
      await until(() => client.received().startsWith("HTTP/1.1 200"))
      client.socket.destroy()
    })

    it("never sees a method that no route can have, or a head that is too long", async () => {
      relay.forget()
      const method = await ask(`${nginx.url}/probe/work/0`, { method: "PROPFIND" })
      expect([method.status, method.json.code]).toEqual([405, "METHOD_NOT_ALLOWED"])
      expect(method.headers.allow).toContain("PATCH")
      expect((await ask(`${nginx.url}/probe/work/0`, { method: "TRACE" })).status).toBe(405)
      const fill = Object.fromEntries(
        Array.from({ length: 5 }, (_, i) => [`x-${i}`, "x".repeat(4000)])
      )
      const head = await ask(`${nginx.url}/probe/work/0`, { headers: fill })
      expect([head.status, head.json.code]).toEqual([431, "HEADERS_TOO_LARGE"])
      expect(relay.seen()).toEqual([])
    })

    it("streams a reply that says X-Accel-Buffering: no", async () => {
      const client = connection(nginx.port)
      client.socket.write("GET /probe/stream HTTP/1.1\r\nHost: a\r\n\r\n")
      await until(() => client.received().includes("first"))
      expect(client.received()).not.toContain("second")
      client.socket.destroy()
    })

    it("is offered upgrades to WebSockets only", async () => {
      const upgrade = async (protocol: string) => {
        relay.forget()
        const client = connection(nginx.port)
        client.socket.write(
          `GET /probe/seen HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`
        )
        await until(() => relay.seen().length > 0)
        client.socket.destroy()
        return relay.seen()[0]!
      }
      expect(await upgrade("h2c")).not.toMatch(/^(connection|upgrade):/im)
      const head = await upgrade("WebSocket")
      expect(head).toMatch(/^upgrade: websocket\r$/im)
      expect(head).toMatch(/^connection: upgrade\r$/im)
    })
  }
)

describe.skipIf(unavailable !== undefined).each(["node", "proxied"] as const)(
  "a service on the listener %s that refuses bodies behind nginx",
  (listener) => {
    it("loses no reply under load, and answers other requests on the same connections", async () => {
      const service = await startService(listener, { FLANGE__SERVER__BODY_LIMIT: "64 KiB" })
      const nginx = await startNginx([service.address])
      const json = { "content-type": "application/json" }
      const work = "/probe/work/0"
      const long = Buffer.alloc(2 * mebibyte, 0x20)
      const requests = [
        { expected: 413, options: { body: long, headers: json, method: "POST" }, path: work },
        { expected: 200, options: {}, path: "/probe/seen" },
        { expected: 404, options: { body: long, headers: json, method: "POST" }, path: "/nowhere" },
        { expected: 405, options: { body: long, headers: json, method: "PUT" }, path: work },
        {
          expected: 200,
          options: { body: '{"name":"Lamp"}', headers: json, method: "POST" },
          path: work
        },
        {
          expected: 415,
          options: {
            body: Buffer.alloc(60_000),
            headers: { "content-type": "text/plain" },
            method: "POST"
          },
          path: work
        }
      ]
      const client = async (_: unknown, first: number) => {
        const agent = new Http.Agent({ keepAlive: true, maxSockets: 1 })
        for (let i = 0; i < 30; i++) {
          const { expected, options, path } = requests[(first + i) % requests.length]!
          const { status } = await ask(nginx.url + path, { agent, ...options })
          expect([path, status]).toEqual([path, expected])
        }
        agent.destroy()
      }
      try {
        await Promise.all(Array.from({ length: 16 }, client))
      } finally {
        await nginx.stop()
        service.kill("SIGKILL")
      }
    })
  }
)

describe.skipIf(unavailable !== undefined).each(["node", "proxied"] as const)(
  "two instances on the listener %s behind nginx",
  (listener) => {
    it("restart in turn under load and lose no request that one has taken", async () => {
      const instances = await Promise.all([startService(listener), startService(listener)])
      const all = [...instances]
      const nginx = await startNginx(instances.map(({ address }) => address))
      const lost: Array<Lost> = []
      const counts = { get: 0, post: 0 }
      const load = { isRunning: true }
      const client = async (_: unknown, i: number) => {
        const agent = new Http.Agent({ keepAlive: true, maxSockets: 1 })
        while (load.isRunning) {
          const id = randomUUID()
          const kind = i % 2 === 0 ? "get" : "post"
          const headers = { "content-type": "application/json", "x-request-id": id }
          const sent =
            kind === "get"
              ? ask(`${nginx.url}/probe/wait/20`, { agent, headers })
              : ask(`${nginx.url}/probe/work/20`, {
                  agent,
                  body: '{"name":"Lamp"}',
                  headers,
                  method: "POST"
                })
          const reply = await sent.catch((error: unknown) => ({ error, status: 0 }))
          if (reply.status === 200) counts[kind]++
          else lost.push({ id, kind, reply })
        }
        agent.destroy()
      }
      /** Waits for more replies of both kinds. */
      const more = async () => {
        const { get, post } = counts
        await until(() => counts.get > get + 30 && counts.post > post + 30)
      }
      const clients = Array.from({ length: 16 }, client)
      try {
        for (const i of [0, 1] as const) {
          await more()
          const old = instances[i]
          old.kill("SIGTERM")
          expect(await old.exit).toBe(0)
          instances[i] = await startService(listener, { PORT: old.address.split(":")[1]! })
          all.push(instances[i])
        }
        await more()
        load.isRunning = false
        await Promise.all(clients)
        // The kernel can accept a connection between the last accept and the close, and nginx does
        // not repeat a POST on it (docs/shutdown.md).
        const isReset = ({ id, kind, reply }: Lost) =>
          kind === "post" &&
          reply.status === 502 &&
          all.every(({ output }) => !output().includes(`taken ${id}\n`))
        expect(lost.filter((each) => !isReset(each))).toEqual([])
      } finally {
        load.isRunning = false
        await nginx.stop()
        for (const instance of all) instance.kill("SIGKILL")
      }
    })
  }
)
