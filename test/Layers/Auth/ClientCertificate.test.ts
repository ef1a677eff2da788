import * as Https from "node:https"
import { connect } from "node:tls"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Tls } from "flange"
import * as Auth from "flange/Auth"
import { TestApp } from "flange/Testing"
import { generate } from "selfsigned"
import { Client } from "../../Server/Listener/Node/Http2/client.ts"
import { appWith } from "./fixtures.ts"

const certificates = Auth.chain([
  Auth.clientCertificate({
    validate: ({ subject }) =>
      Effect.succeed(
        subject === "CN=stranger"
          ? Option.none()
          : Option.some({ subject: subject.slice("CN=".length) })
      )
  })
])

const signed = (name: string, ca?: { readonly cert: string; readonly key: string }) =>
  Effect.map(
    Effect.promise(() =>
      generate([{ name: "commonName", value: name }], {
        algorithm: "sha256",
        extensions: [{ cA: ca === undefined, critical: true, name: "basicConstraints" }],
        keyType: "ec",
        ...(ca !== undefined && { ca })
      })
    ),
    ({ cert, private: key }) => ({ cert, key })
  )

/** An app that takes the certificates of one authority, and the certificates of clients. */
const given = (requireClientCertificate: boolean) =>
  Effect.gen(function* () {
    const authority = yield* signed("authority")
    const { cert, key } = yield* Tls.selfSigned(["localhost"])
    const { app, audit } = appWith(certificates)
    const tls = {
      certificates: [{ cert, key: Redacted.value(key) }],
      clientCa: authority.cert,
      requireClientCertificate
    }
    const test = yield* TestApp.listening(app, { config: { server: { listener: "node", tls } } })
    return {
      audit,
      forged: yield* signed("ada", yield* signed("authority")),
      known: yield* signed("ada", authority),
      stranger: yield* signed("stranger", authority),
      url: test.url
    }
  })

/** Sends a request of each protocol. Returns the status and the identity, or the code of the error. */
const both = (url: string, pair: { readonly cert?: string; readonly key?: string }) =>
  Effect.promise(async () => {
    const http1 = await new Promise<string>((resolve) => {
      const options = { ...pair, agent: false, rejectUnauthorized: false } as const
      Https.get(`${url}/me`, options, (reply) => {
        let text = ""
        reply.setEncoding("utf8").on("data", (piece: string) => {
          text += piece
        })
        reply.on("end", () => resolve(reply.statusCode === 200 ? text : String(reply.statusCode)))
      }).on("error", () => resolve("refused"))
    })
    const client = new Client(url, pair)
    const { headers, text } = await client.request("/me")
    client.close()
    const status = headers[":status"]
    return [http1, status === undefined ? "refused" : status === 200 ? text : String(status)]
  })

describe("a client certificate", () => {
  it.live("is an identity if its authority is known, on every protocol", () =>
    Effect.gen(function* () {
      const { audit, forged, known, stranger, url } = yield* given(false)
      assert.deepStrictEqual(yield* both(url, known), ['"ada"', '"ada"'])
      assert.strictEqual(audit.events[0]?.method, "certificate")
      assert.deepStrictEqual(yield* both(url, stranger), ["401", "401"])
      // Without one, and with one of an authority of the same name.
      assert.deepStrictEqual(yield* both(url, {}), ["401", "401"])
      assert.deepStrictEqual(yield* both(url, forged), ["401", "401"])
    })
  )

  it.live("is needed for a connection if it is required", () =>
    Effect.gen(function* () {
      const { forged, known, url } = yield* given(true)
      assert.deepStrictEqual(yield* both(url, known), ['"ada"', '"ada"'])
      assert.deepStrictEqual(yield* both(url, {}), ["refused", "refused"])
      assert.deepStrictEqual(yield* both(url, forged), ["refused", "refused"])
    })
  )

  it.live("is no identity after it has expired, also on an open connection", () =>
    Effect.gen(function* () {
      const { known, url } = yield* given(true)
      const client = new Client(url, known)
      const agent = new Https.Agent({ keepAlive: true, maxSockets: 1 })
      const ask = Effect.promise(async () => {
        const http1 = await new Promise<unknown>((resolve, reject) => {
          const options = { ...known, agent, rejectUnauthorized: false } as const
          Https.get(`${url}/me`, options, (reply) => {
            reply.resume().on("end", () => resolve(reply.statusCode))
          }).on("error", reject)
        })
        return [http1, (await client.request("/me")).headers[":status"]]
      })
      assert.deepStrictEqual(yield* ask, [200, 200])
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          vi.useFakeTimers({ now: Date.now() + 100 * 366 * 24 * 3600 * 1000, toFake: ["Date"] })
        }),
        () => Effect.sync(() => vi.useRealTimers())
      )
      assert.deepStrictEqual(yield* ask, [401, 401])
      assert.isFalse(client.session.closed)
      client.close()
      agent.destroy()
    })
  )

  it.live("is that of the session that a client resumes", () =>
    Effect.gen(function* () {
      const { known, url } = yield* given(true)
      const port = Number(new URL(url).port)
      // The session of TLS 1.2 is complete after the handshake.
      const options = {
        ...known,
        maxVersion: "TLSv1.2",
        port,
        rejectUnauthorized: false,
        servername: "localhost"
      } as const
      const ask = (session?: Buffer) =>
        Effect.promise(
          () =>
            new Promise<{
              readonly isReused: boolean
              readonly session: Buffer
              readonly text: string
            }>((resolve, reject) => {
              const socket = connect({ ...options, ...(session !== undefined && { session }) })
              let text = ""
              socket.setEncoding("utf8").on("error", reject)
              socket.write("GET /me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
              socket.on("data", (piece: string) => {
                text += piece
              })
              socket.on("secureConnect", () => {
                const isReused = socket.isSessionReused()
                const own = socket.getSession()!
                socket.on("close", () => resolve({ isReused, session: own, text }))
              })
            })
        )
      const first = yield* ask()
      const second = yield* ask(first.session)
      assert.isTrue(second.isReused)
      assert.include(second.text, '"ada"')
    })
  )
})
