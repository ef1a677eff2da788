import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
// Real nginx in front: apt-get install -y nginx-light.
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { bytesOf, cases } from "./Parse/cases.ts"
import { Client, echo, type Rig, start } from "./rig.ts"

const binary = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin"]
  .map((folder) => join(folder, "nginx"))
  .find(existsSync)

if (binary === undefined) {
  const reason = "nginx is not installed: apt-get install -y nginx-light"
  if (process.env["CI_SERVICES"] === "required") throw new Error(reason)
  process.stdout.write(`Skipped: the proxied listener behind nginx (${reason})\n`)
}

const freePort = async (): Promise<number> => {
  const server = Net.createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as Net.AddressInfo
  server.close()
  return port
}

const conf = (folder: string, port: number, upstream: string) => `
${process.getuid?.() === 0 ? "user root;" : ""}
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join("\n  ")}
  upstream app { server ${upstream}; keepalive 1; }
  server {
    listen 127.0.0.1:${port};
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header Connection "";
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_next_upstream off;
    client_max_body_size 0;
    location / { proxy_pass http://app; }
    location /unbuffered { proxy_request_buffering off; proxy_buffering off; proxy_pass http://app; }
    location /ws {
      proxy_set_header Connection upgrade;
      proxy_set_header Upgrade $http_upgrade;
      proxy_pass http://app;
    }
  }
}`

/** How many requests each of the concurrent clients sends. `DRILLS=full` sends more. */
const rounds = process.env["DRILLS"] === "full" ? 20 : 5

describe.skipIf(binary === undefined).each(["TCP", "unix"])("behind nginx over %s", (kind) => {
  const aborted: Array<string> = []
  let folder: string
  let nginx: ChildProcess
  let port: number
  let rig: Rig

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flange-"))
    rig = await start({
      config: kind === "unix" ? { socket: join(folder, "app.sock") } : {},
      dispatch: (wire) => {
        if (/general|stream|upload|ws/.test(wire.target)) return false
        if (wire.target === "/never") {
          wire.onAbort = () => aborted.push(wire.target)
          return true
        }
        wire.body(10_000_000, (body) =>
          typeof body === "string"
            ? wire.send(400, [], body)
            : wire.send(200, ["x-method", wire.method], `${wire.target} ${Buffer.from(body)}`)
        )
        return true
      },
      exchange: Effect.flatMap(HttpServerRequest, (request) => {
        if (request.url.endsWith("stream")) {
          const parts = Stream.map(Stream.rechunk(Stream.range(1, 50), 1), () => "x".repeat(50_000))
          return Effect.succeed(HttpServerResponse.stream(Stream.encodeText(parts)))
        }
        if (request.url.endsWith("upload")) {
          return Effect.map(
            Stream.runFold(
              request.stream,
              () => 0,
              (total: number, { length }) => total + length
            ),
            (total) => HttpServerResponse.text(String(total))
          ).pipe(Effect.orDie)
        }
        if (request.url === "/ws") return echo(request)
        return Effect.succeed(HttpServerResponse.text(`general ${request.url}`))
      })
    })
    port = await freePort()
    const upstream = kind === "unix" ? rig.bound.address! : `127.0.0.1:${rig.port}`
    writeFileSync(join(folder, "nginx.conf"), conf(folder, port, upstream))
    nginx = spawn(
      binary!,
      [
        "-p",
        folder,
        "-c",
        join(folder, "nginx.conf"),
        "-e",
        join(folder, "error.log"),
        "-g",
        "daemon off;"
      ],
      { stdio: "inherit" }
    )
    for (;;) {
      const up = await fetch(`http://127.0.0.1:${port}/up`).then(
        ({ ok }) => ok,
        () => false
      )
      if (up) return
      assert.isNull(nginx.exitCode, "nginx ended")
      await sleep(50)
    }
  })

  afterAll(async () => {
    const exited = once(nginx, "exit")
    nginx.kill("SIGQUIT")
    await exited
    await rig.close()
    rmSync(folder, { recursive: true })
  })

  const url = (path: string) => `http://127.0.0.1:${port}${path}`

  it(`gives every one of 50 concurrent clients its own reply, in ${rounds} rounds`, async () => {
    const one = async (i: number) => {
      const body = `body of ${i} `.repeat(1 + (i % 7) * 500)
      const reply = await fetch(
        url(`/${i % 3 === 0 ? "general/" : ""}${i}`),
        i % 3 === 1 ? { body, method: "POST" } : {}
      )
      const expected = i % 3 === 0 ? `general /general/${i}` : `/${i} ${i % 3 === 1 ? body : ""}`
      assert.strictEqual(await reply.text(), expected)
    }
    for (let round = 0; round < rounds; round++) {
      await Promise.all(Array.from({ length: 50 }, (_, i) => one(round * 50 + i)))
    }
  })

  it("streams replies and uploads, buffered or not", async () => {
    for (const prefix of ["/", "/unbuffered/"]) {
      const streamed = await (await fetch(url(`${prefix}stream`))).text()
      assert.strictEqual(streamed.length, 2_500_000)
      const body = new Blob([new Uint8Array(5_000_000)])
      const uploaded = await fetch(url(`${prefix}upload`), { body, method: "POST" })
      assert.strictEqual(await uploaded.text(), "5000000")
      const chunked = await fetch(url(`${prefix}upload`), {
        body: body.stream(),
        duplex: "half",
        method: "POST"
      } as RequestInit)
      assert.strictEqual(await chunked.text(), "5000000")
    }
  })

  it("answers HEAD", async () => {
    const reply = await fetch(url("/head"), { method: "HEAD" })
    assert.strictEqual(reply.headers.get("content-length"), "6")
  })

  it("hands over WebSockets", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
    await new Promise((resolve) => socket.addEventListener("open", resolve))
    const echoed = new Promise<unknown>((resolve) =>
      socket.addEventListener("message", ({ data }) => resolve(data))
    )
    socket.send("hello")
    assert.strictEqual(await echoed, "hello")
    const closed = new Promise((resolve) => socket.addEventListener("close", resolve))
    socket.close()
    await closed
  })

  it("learns that a client went away", async () => {
    const controller = new AbortController()
    const request = fetch(url("/never"), { signal: controller.signal }).catch(() => undefined)
    await sleep(100)
    controller.abort()
    await request
    while (aborted.length === 0) await sleep(10)
  })

  it("gives the next client its own reply after every case of the table", async () => {
    for (const [i, [name, text]] of cases.entries()) {
      const socket = Net.connect({ host: "127.0.0.1", port })
      const client = new Client(socket)
      client.send(bytesOf(text))
      // Some wait for more; what they sent has arrived when the victim is answered.
      const victim = await fetch(url(`/victim-${i}`))
      assert.strictEqual(await victim.text(), `/victim-${i} `, name)
      client.destroy()
      const next = await fetch(url(`/next-${i}`))
      assert.strictEqual(await next.text(), `/next-${i} `, name)
    }
  })
})
