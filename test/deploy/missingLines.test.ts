// What docs/behind-a-proxy.md says of each line: what happens when it is not there, or says otherwise.
import * as Net from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { ask, post } from "./client.ts"
import { type Change, type Nginx, startNginx, unavailable } from "./nginx.ts"
import { type Instance, type Relay, startRelay, startService } from "./service.ts"

const nobody = "127.0.0.1:1"

describe.skipIf(unavailable !== undefined)("without a line of deploy/nginx", () => {
  let service: Instance
  let relay: Relay
  beforeAll(async () => {
    service = await startService("proxied", { FLANGE__SERVER__TRUSTED_PROXIES: "127.0.0.1" })
    relay = await startRelay(service.address)
  })
  afterAll(() => {
    relay?.close()
    service?.kill("SIGKILL")
  })

  const withChanges = async (changes: ReadonlyArray<Change>, use: (nginx: Nginx) => unknown) => {
    const nginx = await startNginx([relay.address], changes)
    relay.forget()
    try {
      await use(nginx)
    } finally {
      await nginx.stop()
    }
  }

  const connections: ReadonlyArray<Change> = [
    ["proxy_http_version 1.1;", "proxy_http_version 1.0;"],
    ["proxy_set_header Connection $flange_connection;", "proxy_set_header Connection close;"],
    ["  keepalive 32;", ""]
  ]
  it.each(connections)("%s each request has a connection of its own", (...change) =>
    withChanges([change], async (nginx) => {
      for (let i = 0; i < 5; i++) await ask(`${nginx.url}/probe/seen`)
      expect(relay.seen()).toHaveLength(5)
    })
  )

  it("client_max_body_size, bodies above 1 MiB are refused", () =>
    withChanges([["client_max_body_size 8m;", ""]], async (nginx) => {
      const body = { name: "x".repeat(1024 * 1024) }
      expect((await post(`${nginx.url}/probe/work/0`, body)).status).toBe(413)
      expect(relay.seen()).toEqual([])
    }))

  it("client_max_body_size, where there is no limit, the service refuses and the client sees it", () =>
    withChanges([["client_max_body_size 8m;", "client_max_body_size 0;"]], async (nginx) => {
      const reply = await post(`${nginx.url}/probe/work/0`, { name: "x".repeat(9 * 1024 * 1024) })
      expect(reply.json.code).toBe("PAYLOAD_TOO_LARGE")
      expect(relay.seen()).toHaveLength(1)
    }))

  it("proxy_request_buffering, a slow client holds a request of the service", () =>
    withChanges(
      [["proxy_request_buffering on;", "proxy_request_buffering off;"]],
      async (nginx) => {
        const socket = Net.connect(nginx.port, "127.0.0.1")
        socket.write("POST /probe/work/0 HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
        while (relay.seen().length === 0) await sleep(10)
        socket.destroy()
      }
    ))

  it("Forwarded, a client that sends one is taken for nginx", () =>
    withChanges([['proxy_set_header Forwarded "";', ""]], async (nginx) => {
      const headers = { forwarded: "for=6.6.6.6" }
      const reply = await ask(`${nginx.url}/probe/seen`, { headers, localAddress: "127.0.0.2" })
      expect(reply.json.ip).toBe("127.0.0.1")
    }))

  it("X-Forwarded-For, every client is taken for nginx, or for what it says", () =>
    withChanges([["proxy_set_header X-Forwarded-For $remote_addr;", ""]], async (nginx) => {
      const seen = async (headers: Record<string, string>) =>
        (await ask(`${nginx.url}/probe/seen`, { headers, localAddress: "127.0.0.2" })).json.ip
      expect(await seen({})).toBe("127.0.0.1")
      expect(await seen({ "x-forwarded-for": "6.6.6.6" })).toBe("6.6.6.6")
    }))

  it("X-Forwarded-For that appends, a client is known all the same", () =>
    withChanges(
      [["X-Forwarded-For $remote_addr;", "X-Forwarded-For $proxy_add_x_forwarded_for;"]],
      async (nginx) => {
        const headers = { "x-forwarded-for": "6.6.6.6" }
        const reply = await ask(`${nginx.url}/probe/seen`, { headers, localAddress: "127.0.0.2" })
        expect(reply.json.ip).toBe("127.0.0.2")
      }
    ))

  it("set_real_ip_from, the client of a load balancer in front is not known; with it, it is", () =>
    withChanges(
      [
        ["# set_real_ip_from 10.0.0.0/8;", "set_real_ip_from 127.0.0.2;"],
        ["# real_ip_header X-Forwarded-For;", "real_ip_header X-Forwarded-For;"],
        ["# real_ip_recursive on;", "real_ip_recursive on;"]
      ],
      async (nginx) => {
        const headers = { "x-forwarded-for": "6.6.6.6, 203.0.113.9" }
        const seen = async (localAddress: string) =>
          (await ask(`${nginx.url}/probe/seen`, { headers, localAddress })).json.ip
        expect(await seen("127.0.0.2")).toBe("203.0.113.9")
        expect(await seen("127.0.0.3")).toBe("127.0.0.3")
      }
    ))

  it("proxy_read_timeout above the handler's time, nginx gives up with 504", () =>
    withChanges([["proxy_read_timeout 60s;", "proxy_read_timeout 1s;"]], async (nginx) => {
      const reply = await ask(`${nginx.url}/probe/wait/60000`)
      expect([reply.status, reply.json.code]).toEqual([504, "TIMEOUT"])
    }))

  it("X-Request-ID, the service makes an id that nginx does not log", () =>
    withChanges([["proxy_set_header X-Request-ID $flange_request_id;", ""]], async (nginx) => {
      const reply = await ask(`${nginx.url}/probe/seen`)
      expect(reply.json.requestId).not.toBe(reply.headers["x-request-id"])
    }))

  it("proxy_next_upstream, requests for an instance that is gone are lost", async () => {
    for (const [instead, statuses] of [
      ["proxy_next_upstream off;", [200, 502]],
      ["proxy_next_upstream error timeout;", [200]]
    ] as const) {
      const change: Change = ["proxy_next_upstream error timeout;", instead]
      const nginx = await startNginx([nobody, relay.address], [change])
      const found = new Set<number>()
      for (let i = 0; i < 8; i++) {
        found.add((await post(`${nginx.url}/probe/work/0`, { name: "Lamp" })).status)
      }
      expect([...found].sort()).toEqual(statuses)
      await nginx.stop()
    }
  })

  it("of timeouts for clients, a silent one keeps its connection; with them it does not", () =>
    withChanges(
      [
        ["client_header_timeout 15s;", "client_header_timeout 1s;"],
        ["client_body_timeout 15s;", "client_body_timeout 1s;"]
      ],
      async (nginx) => {
        const body = "POST /probe/work/0 HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"
        for (const text of ["GET / HTTP/1.1\r\nHost:", body]) {
          const socket = Net.connect(nginx.port, "127.0.0.1")
          socket.on("error", () => {})
          socket.resume()
          socket.write(text)
          await new Promise((resolve) => socket.once("close", resolve))
        }
        expect(relay.seen()).toEqual([])
      }
    ))

  it("no instance, nginx answers with a problem document of its own", async () => {
    const nginx = await startNginx([nobody])
    const reply = await ask(`${nginx.url}/probe/seen`, { headers: { "x-request-id": "mine" } })
    expect(reply.status).toBe(502)
    expect(reply.headers["content-type"]).toBe("application/problem+json")
    expect(reply.json).toMatchObject({ code: "BAD_GATEWAY", correlationId: "mine", status: 502 })
    await nginx.stop()
  })
})
