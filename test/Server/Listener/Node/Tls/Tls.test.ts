// TLS of the node listener: certificates, names, clients with certificates, reload.
import { execFile, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import * as Https from "node:https"
import { type AddressInfo, connect as connectPlain, createServer } from "node:net"
import { join } from "node:path"
import { connect, type ConnectionOptions } from "node:tls"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as TestApp from "../../../../../src/Testing/TestApp.ts"
import * as app from "../Http2/app.ts"
import { Client } from "../Http2/client.ts"
import { boot, folder, pair } from "./rig.ts"

const hasH2load = spawnSync("h2load", ["--version"]).status === 0
if (!hasH2load && process.env["CI_SERVICES"] === "required") {
  throw new Error("h2load is not installed")
}

/** Connects, and returns the name of the certificate, the protocol of TLS and that of ALPN. */
const shake = (url: string, options: ConnectionOptions = {}) =>
  Effect.promise(
    () =>
      new Promise<
        | {
            readonly alpn: false | string | null
            readonly error: undefined
            readonly name: string
            readonly protocol: string | null
          }
        | { readonly error: string }
      >((resolve) => {
        const { hostname, port } = new URL(url)
        const socket = connect({
          host: hostname,
          port: Number(port),
          rejectUnauthorized: false,
          ...options
        })
        socket.on("error", (error: NodeJS.ErrnoException) =>
          resolve({ error: error.code ?? error.message })
        )
        socket.on("secureConnect", () => {
          resolve({
            alpn: socket.alpnProtocol,
            error: undefined,
            name: socket.getPeerX509Certificate()!.subject,
            protocol: socket.getProtocol()
          })
          socket.destroy()
        })
      })
  )

/** Sends a request of HTTP/1.1 over TLS. */
const get = (url: string, options: Https.RequestOptions = {}) =>
  Effect.promise(
    () =>
      new Promise<string>((resolve, reject) => {
        Https.get(url, { agent: false, rejectUnauthorized: false, ...options }, (reply) => {
          let text = ""
          reply.setEncoding("utf8").on("data", (piece: string) => {
            text += piece
          })
          reply.on("end", () => resolve(text))
        }).on("error", reject)
      })
  )

describe("TLS on the node listener", () => {
  it.live("serves HTTP/2 and HTTP/1.1 on one port, as ALPN has it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { url } = yield* boot({ selfSigned: ["localhost", "127.0.0.1"] })
        assert.isTrue(url.startsWith("https://"))
        assert.strictEqual(yield* get(`${url}/hello`), "hello")
        const client = new Client(url)
        assert.strictEqual((yield* Effect.promise(() => client.request("/hello"))).text, "hello")
        client.close()
        const both = yield* shake(url, { ALPNProtocols: ["http/1.1", "h2"] })
        assert.include(both, { alpn: "h2" })
        assert.include(yield* shake(url), { alpn: false })
        assert.isDefined((yield* shake(url, { ALPNProtocols: ["spdy/1"] })).error)
      })
    )
  )

  it.live("has the scheme https for every protocol, unless a trusted proxy names another", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const scheme = (url: string, headers = {}) =>
          Effect.promise(async () => {
            const client = new Client(url)
            const http2 = await client.request("/hello", headers)
            client.close()
            const http1 = await new Promise<unknown>((resolve, reject) => {
              const options = { agent: false, headers, rejectUnauthorized: false } as const
              Https.get(`${url}/hello`, options, (reply) => {
                reply.resume()
                resolve(reply.headers["x-scheme"])
              }).on("error", reject)
            })
            return [http1, http2.headers["x-scheme"]]
          })
        const forwarded = { "x-forwarded-proto": "http" }
        const tls = { selfSigned: ["localhost"] }
        const own = yield* boot(tls)
        assert.deepStrictEqual(yield* scheme(own.url), ["https", "https"])
        assert.deepStrictEqual(yield* scheme(own.url, forwarded), ["https", "https"])
        const behind = yield* boot(tls, { trustedProxies: ["127.0.0.1/32"] })
        assert.deepStrictEqual(yield* scheme(behind.url), ["https", "https"])
        assert.deepStrictEqual(yield* scheme(behind.url, forwarded), ["http", "http"])
      })
    )
  )

  it.live("offers TLS 1.2 with forward secrecy and TLS 1.3, nothing older or weaker", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { url } = yield* boot({ selfSigned: ["localhost"] })
        assert.include(yield* shake(url), { protocol: "TLSv1.3" })
        assert.include(yield* shake(url, { maxVersion: "TLSv1.2" }), { protocol: "TLSv1.2" })
        const old = {
          ciphers: "DEFAULT@SECLEVEL=0",
          maxVersion: "TLSv1.1",
          minVersion: "TLSv1"
        } as const
        assert.isDefined((yield* shake(url, old)).error)
        const weak = { ciphers: "ECDHE-ECDSA-AES128-SHA256", maxVersion: "TLSv1.2" } as const
        assert.isDefined((yield* shake(url, weak)).error)
      })
    )
  )

  it.live("chooses the certificate by the name that a client asks for", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const path = yield* folder
        const [first, second] = [yield* pair("a.example"), yield* pair("b.example", "*.b.example")]
        // One of files, one inline.
        writeFileSync(join(path, "a.crt"), first.cert)
        writeFileSync(join(path, "a.key"), first.key)
        const { url } = yield* boot({
          certificates: [{ cert: join(path, "a.crt"), key: join(path, "a.key") }, second]
        })
        for (const [servername, name] of [
          ["a.example", "a.example"],
          ["b.example", "b.example"],
          ["b.example.", "b.example"],
          ["x.B.example", "b.example"],
          ["c.example", "a.example"],
          [undefined, "a.example"]
        ] as const) {
          const found = yield* shake(url, servername === undefined ? {} : { servername })
          assert.include(found, { name: `CN=${name}` }, servername)
        }
      })
    )
  )

  for (const environment of ["local", "production"]) {
    it.live(
      `a certificate of its own in the environment ${environment} is a warning if not local`,
      () =>
        Effect.scoped(
          Effect.gen(function* () {
            const { logs } = yield* TestApp.listening(app.make().app, {
              config: { server: { listener: "node", tls: { selfSigned: ["localhost"] } } },
              environment
            })
            const warned = logs.some(({ message }) => message.includes("server.tls.selfSigned"))
            assert.strictEqual(warned, environment !== "local")
          })
        )
    )
  }

  it.live("files that are emptied or removed change nothing", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const path = yield* folder
        const files = ["ca", "cert", "key"].map((name) => join(path, name))
        const { cert, key } = yield* pair("a.example")
        const write = () => {
          for (const [i, text] of [cert, cert, key].entries()) writeFileSync(files[i]!, text)
        }
        write()
        const { logs, url } = yield* boot({
          certificates: [{ cert: files[1]!, key: files[2]! }],
          clientCa: files[0]!
        })
        const refusals = () =>
          logs.filter(({ message }) => String(message).includes("the old ones stay")).length
        let count = 0
        for (const change of [(file: string) => writeFileSync(file, ""), rmSync]) {
          for (const file of files) {
            write()
            change(file)
            while (refusals() === count) yield* Effect.sleep(20)
            count = refusals()
            assert.include(yield* shake(url), { name: "CN=a.example" }, file)
          }
        }
      })
    )
  )

  it.live(
    "new certificates are used as Kubernetes replaces them, under load, and nothing is dropped",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const path = yield* folder
          const write = (
            version: string,
            { cert, key }: { readonly cert: string; readonly key: string }
          ) => {
            mkdirSync(join(path, version))
            writeFileSync(join(path, version, "tls.crt"), cert)
            writeFileSync(join(path, version, "tls.key"), key)
            symlinkSync(version, join(path, "..new"))
            renameSync(join(path, "..new"), join(path, "..data"))
          }
          write("..1", yield* pair("first.example"))
          for (const file of ["tls.crt", "tls.key"])
            symlinkSync(join("..data", file), join(path, file))
          const test = yield* boot({
            certificates: [{ cert: join(path, "tls.crt"), key: join(path, "tls.key") }]
          })
          const { url } = test
          const client = new Client(url)
          const over = new AbortController()
          yield* Effect.addFinalizer(() => Effect.sync(() => over.abort()))
          const answers: Array<string> = []
          const load = async (send: () => Promise<string>) => {
            while (!over.signal.aborted) answers.push(await send())
          }
          const http2 = load(async () => (await client.request("/hello")).text)
          const http1 = load(() => Effect.runPromise(get(`${url}/hello`)))
          const shown = function* (name: string) {
            for (;;) {
              const found = yield* shake(url, { servername: "first.example" })
              if (found.error === undefined && found.name === `CN=${name}`) return
            }
          }
          yield* Effect.gen(() => shown("first.example"))
          write("..2", yield* pair("second.example"))
          yield* Effect.gen(() => shown("second.example"))
          // A pair that does not fit is not taken.
          const third = yield* pair("third.example")
          const failures = () =>
            test.logs.filter(({ message }) => String(message).includes("the old ones stay")).length
          // One may be of the files before and after the second change, which is read again.
          const before = failures()
          write("..3", { cert: third.cert, key: (yield* pair("other.example")).key })
          while (failures() === before) yield* Effect.sleep(20)
          assert.include(yield* shake(url), { name: "CN=second.example" })
          // The log of the service may be in the folder: its own line must not cause another one.
          writeFileSync(join(path, "service.log"), "The TLS certificates were not replaced")
          yield* Effect.sleep(1000)
          assert.strictEqual(failures(), before + 1)
          write("..4", third)
          yield* Effect.gen(() => shown("third.example"))
          over.abort()
          yield* Effect.promise(() => Promise.all([http1, http2]))
          assert.isAbove(answers.length, 0)
          assert.isTrue(answers.every((text) => text === "hello"))
          assert.isFalse(client.session.closed)
          client.close()
        })
      )
  )

  it.live("a client that asks for an odd name gets the first certificate", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const certificates = [yield* pair("a.example"), yield* pair("b.example", "*.b.example")]
        const { url } = yield* boot({ certificates })
        for (const servername of [
          ".",
          "..",
          "*",
          "*.example",
          "a.example.",
          "b.example\\",
          "x\r\ny",
          "ä.example",
          "[::1]",
          "x".repeat(255),
          `${"x.".repeat(120)}b.example`
        ]) {
          const found = yield* shake(url, { servername })
          assert.include(found, { name: "CN=a.example" }, servername)
        }
      })
    )
  )

  it.live("a client that renegotiates again and again is cut off, and others are served", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { url } = yield* boot({ selfSigned: ["localhost"] })
        for (const ALPNProtocols of [["h2"], ["http/1.1"]]) {
          yield* Effect.promise(
            () =>
              new Promise<void>((resolve) => {
                const socket = connect({
                  ALPNProtocols,
                  host: "127.0.0.1",
                  maxVersion: "TLSv1.2",
                  port: Number(new URL(url).port),
                  rejectUnauthorized: false
                })
                const again = () => {
                  socket.renegotiate({ rejectUnauthorized: false }, (error) => {
                    if (error === null) again()
                  })
                }
                socket
                  .on("secureConnect", again)
                  .on("error", () => {})
                  .on("close", () => resolve())
                  .resume()
              })
          )
        }
        assert.strictEqual(yield* get(`${url}/hello`), "hello")
      })
    )
  )

  it.live("a handshake that does not end is cut off after server.headersTimeout", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { url } = yield* boot({ selfSigned: ["localhost"] }, { headersTimeout: "200ms" })
        yield* Effect.promise(
          () =>
            new Promise<void>((resolve) => {
              const socket = connectPlain(Number(new URL(url).port), "127.0.0.1")
              socket
                .on("close", () => resolve())
                .on("error", () => {})
                .resume()
            })
        )
        assert.strictEqual(yield* get(`${url}/hello`), "hello")
      })
    )
  )

  it.live("connections from one port to two addresses of the server are told apart", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { app: waiting, events } = app.make()
        const config = {
          server: {
            headersTimeout: "500ms",
            host: "0.0.0.0",
            listener: "node",
            tls: { selfSigned: ["localhost"] }
          }
        }
        const { url } = yield* TestApp.listening(waiting, { config })
        const port = Number(new URL(url).port)
        yield* Effect.promise(async () => {
          const reserved = createServer().listen(0, "127.0.0.1")
          await once(reserved, "listening")
          const { port: localPort } = reserved.address() as AddressInfo
          reserved.close()
          await once(reserved, "close")
          const from = { localAddress: "127.0.0.1", localPort, port }
          const first = connectPlain({ ...from, host: "127.0.0.1" })
          await once(first, "connect")
          // It begins no handshake.
          const second = connectPlain({ ...from, host: "127.0.0.2" })
          await once(second, "connect")
          const secure = connect({ rejectUnauthorized: false, socket: first })
          await once(secure, "secureConnect")
          secure.write("GET /wait HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
          await once(second.resume(), "close")
          // The limits of handshakes are looked at every second.
          await new Promise((resolve) => setTimeout(resolve, 1500))
          Deferred.doneUnsafe(events.proceed, Effect.void)
          assert.match(await new Response(secure).text(), /^HTTP\/1.1 200 /)
        })
      })
    )
  )

  it.live("a client without TLS is not served, and others are", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { url } = yield* boot({ selfSigned: ["localhost"] })
        const plain = url.replace("https:", "http:")
        const answer = yield* Effect.promise(() =>
          fetch(plain).then(
            () => "served",
            () => "not served"
          )
        )
        assert.strictEqual(answer, "not served")
        assert.strictEqual(yield* get(`${url}/hello`), "hello")
      })
    )
  )

  it.live.skipIf(!hasH2load)("h2load has no errors", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { url } = yield* boot({ selfSigned: ["localhost"] })
        const { stdout } = yield* Effect.promise(() =>
          promisify(execFile)("h2load", ["-n", "2000", "-c", "4", "-m", "16", `${url}/hello`])
        )
        assert.match(stdout, /2000 succeeded, 0 failed, 0 errored, 0 timeout/)
        assert.match(stdout, /Application protocol: h2/)
      })
    )
  )
})
