/** Limits behind a real nginx with the configuration of deploy/nginx, and clients that lie about who they are. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import * as Https from "node:https"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { generate } from "selfsigned"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { ask } from "../../deploy/client.ts"
import { type Nginx, startNginx, unavailable } from "../../deploy/nginx.ts"
import { freePort } from "../../examples/process.ts"
import { type Replica, startReplica } from "./process.ts"

const env = { FLANGE__METRICS__ACCESS: "public", LOG_LEVEL: "warn" }

/** What a client may write about itself. */
const lies = (address: string) => ({
  forwarded: `for="${address}";proto=https`,
  "x-forwarded-for": address,
  "x-forwarded-proto": "https",
  "x-real-ip": address
})

const addressOf = (i: number) => `${(i % 200) + 1}.${(i >> 8) & 255}.${i & 255}.${i % 251}`

/** Sends requests on four connections, many at a time, and counts the statuses. */
const flood = async (
  port: number,
  path: string,
  count: number,
  headersOf: (i: number) => Readonly<Record<string, string>>
): Promise<Record<string, number>> => {
  const statuses: Record<string, number> = {}
  let sent = 0
  let done = 0
  const connection = () =>
    new Promise<void>((resolve, reject) => {
      let open = 0
      let rest = ""
      const socket = Net.connect(port, "127.0.0.1")
      const send = () => {
        let text = ""
        for (; open < 50 && sent < count; open++, sent++) {
          const headers = Object.entries(headersOf(sent)).map(
            ([name, value]) => `${name}: ${value}\r\n`
          )
          text += `GET ${path} HTTP/1.1\r\nhost: shop\r\n${headers.join("")}\r\n`
        }
        if (text !== "") socket.write(text)
        else if (open === 0) socket.end(resolve)
      }
      socket.setEncoding("latin1").on("error", reject).on("connect", send)
      socket.on("close", () => (sent < count || open > 0 ? reopen() : resolve()))
      socket.on("data", (chunk) => {
        const text = rest + String(chunk)
        // A status line that is not whole is read with the next chunk.
        const end = text.lastIndexOf("HTTP/1.1 ")
        const isWhole = text.length >= end + 12
        const whole = isWhole ? text : text.slice(0, end)
        rest = isWhole ? text.slice(-8) : text.slice(end)
        for (const [, status] of whole.matchAll(/HTTP\/1\.1 (\d{3})/g)) {
          statuses[status!] = (statuses[status!] ?? 0) + 1
          open--
          done++
        }
        send()
      })
      // nginx closes a connection after a number of requests; what it has not answered is sent again.
      const reopen = () => {
        sent -= open
        open = 0
        void connection().then(resolve, reject)
      }
    })
  await Promise.all([1, 2, 3, 4].map(connection))
  expect(done).toBe(count)
  return statuses
}

/** The value of a metric of a replica. */
const metric = async (address: string, name: string): Promise<number> => {
  const { text } = await ask(`http://${address}/metrics`)
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "m").exec(text)?.[1])
}

describe.skipIf(unavailable !== undefined).each(["node", "proxied"] as const)(
  "limits on the listener %s behind nginx",
  (listener) => {
    let folder: string
    let nginx: Nginx
    let service: Replica
    let tls: number

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "flange-tls-"))
      const pair = await generate([{ name: "commonName", value: "localhost" }], {
        algorithm: "sha256",
        keyType: "ec"
      })
      writeFileSync(join(folder, "service.crt"), pair.cert)
      writeFileSync(join(folder, "service.key"), pair.private)
      tls = await freePort()
      service = await startReplica({
        ...env,
        FLANGE__SERVER__LISTENER: listener,
        FLANGE__SERVER__TRUSTED_PROXIES: "127.0.0.1"
      })
      nginx = await startNginx(
        [service.address],
        [
          ["# listen 443 ssl default_server;", `listen 127.0.0.1:${tls} ssl default_server;`],
          [
            "# ssl_certificate /etc/nginx/tls/service.crt;",
            `ssl_certificate ${folder}/service.crt;`
          ],
          [
            "# ssl_certificate_key /etc/nginx/tls/service.key;",
            `ssl_certificate_key ${folder}/service.key;`
          ]
        ]
      )
    })

    afterAll(async () => {
      await nginx?.stop()
      await service?.stop()
      rmSync(folder, { force: true, recursive: true })
    })

    it("see the address of the client and the scheme, whatever the client writes", async () => {
      const plain = await ask(`${nginx.url}/wide`, {
        headers: lies("6.6.6.6"),
        localAddress: "127.0.0.9"
      })
      expect([plain.text, plain.headers["x-seen-scheme"]]).toEqual(['"127.0.0.9"', "http"])
      const secure = await new Promise((resolve, reject) => {
        const options = {
          agent: false,
          headers: { ...lies("6.6.6.6"), "x-forwarded-proto": "http" },
          localAddress: "127.0.0.9",
          rejectUnauthorized: false
        }
        Https.get(`https://127.0.0.1:${tls}/wide`, options, (reply) => {
          let text = ""
          reply.on("data", (chunk) => (text += chunk))
          reply.on("end", () => resolve([text, reply.headers["x-seen-scheme"]]))
        }).on("error", reject)
      })
      expect(secure).toEqual(['"127.0.0.9"', "https"])
    })

    it("count each client alone", async () => {
      for (const localAddress of ["127.0.0.2", "127.0.0.3"]) {
        const statuses: Array<number> = []
        for (let i = 0; i < 12; i++) {
          const headers = lies(addressOf(i))
          statuses.push((await ask(`${nginx.url}/early`, { headers, localAddress })).status)
        }
        expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 429, 429])
      }
    })

    it("are not passed by 10 000 spoofed addresses, which use no memory", async () => {
      const before = await metric(service.address, "flange_rate_limit_keys")
      expect(await flood(nginx.port, "/early", 10_000, (i) => lies(addressOf(i)))).toEqual({
        200: 10,
        429: 9990
      })
      expect(await metric(service.address, "flange_rate_limit_keys")).toBe(before + 1)
    }, 120_000)
  }
)

describe("100 000 addresses in X-Forwarded-For", () => {
  const addresses = 100_000

  it("that a client has made up are one client", async () => {
    const service = await startReplica(env)
    try {
      const { port } = new URL(`http://${service.address}`)
      expect(await flood(Number(port), "/early", addresses, (i) => lies(addressOf(i)))).toEqual({
        200: 10,
        429: addresses - 10
      })
      expect(await metric(service.address, "flange_rate_limit_keys")).toBe(1)
    } finally {
      await service.stop()
    }
  }, 240_000)

  it("that a trusted proxy has seen use no more memory than maxKeys", async () => {
    const service = await startReplica({
      ...env,
      FLANGE__RATE_LIMIT__MAX_KEYS: "1000",
      FLANGE__SERVER__TRUSTED_PROXIES: "127.0.0.1"
    })
    try {
      const { port } = new URL(`http://${service.address}`)
      const seen = (i: number) => ({
        "x-forwarded-for": `2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::1`
      })
      const statuses = await flood(Number(port), "/early", addresses, seen)
      expect(statuses).toEqual({ 200: addresses })
      const keys = await metric(service.address, "flange_rate_limit_keys")
      expect(keys).toBeGreaterThan(400)
      expect(keys).toBeLessThanOrEqual(1000)
    } finally {
      await service.stop()
    }
  }, 240_000)
})
