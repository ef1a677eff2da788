// Certificates that clients refuse for their dates, or will soon: at start, at each change and each day.
import { mkdirSync, writeFileSync } from "node:fs"
import { createServer } from "node:https"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { generate } from "selfsigned"
import { Environment } from "../../../../../src/Config/Environment.ts"
import type { Serving } from "../../../../../src/Server/Exchange/Serving.ts"
import * as TlsServer from "../../../../../src/Server/Listener/Node/Tls/TlsServer.ts"
import { boot, folder } from "./rig.ts"

const day = 24 * 3600 * 1000

/** The date as a certificate has it, without milliseconds. */
const inDays = (days: number) => new Date(Math.floor(Date.now() / 1000) * 1000 + days * day)

const pairOf = (name: string, notBeforeDate: Date, notAfterDate: Date) =>
  Effect.promise(async () => {
    const { cert, private: key } = await generate([{ name: "commonName", value: name }], {
      algorithm: "sha256",
      extensions: [{ altNames: [{ type: 2, value: name }], name: "subjectAltName" }],
      keyType: "ec",
      notAfterDate,
      notBeforeDate
    })
    return { cert, key }
  })

describe("the dates of a TLS certificate", () => {
  it.live("are a warning at start and at each change, and refuse nothing", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const path = yield* folder
        const [cert, key] = [join(path, "tls.crt"), join(path, "tls.key")]
        const write = Effect.fnUntraced(function* (from: Date, to: Date) {
          const pair = yield* pairOf("a.example", from, to)
          writeFileSync(cert, pair.cert)
          writeFileSync(key, pair.key)
        })
        const [past, recent, soon, later, far] = [-90, -1, 6, 8, 90].map(inDays) as [
          Date,
          Date,
          Date,
          Date,
          Date
        ]
        yield* write(past, recent)
        const inline = yield* pairOf("b.example", recent, soon)
        const { logs } = yield* boot({ certificates: [{ cert, key }, inline] })
        const warned = () =>
          logs.flatMap(({ level, message }) =>
            level === "Warn" && String(message).startsWith("The TLS certificate in")
              ? [String(message)]
              : []
          )
        const replaced = () =>
          logs.filter(({ message }) => message === "The TLS certificates were replaced").length
        const inlineSoon = `The TLS certificate in server.tls.certificates[1].cert (DNS:b.example) expires at ${soon.toISOString()}, in less than 7 days. Replace it and its key before that.`
        const of = (rest: string) => `The TLS certificate in ${cert} (DNS:a.example) ${rest}`
        const expected = [
          of(`expired at ${recent.toISOString()}, and clients refuse it. Replace it and its key.`),
          inlineSoon
        ]
        assert.deepStrictEqual(warned(), expected)
        for (const [from, to, warning] of [
          [
            soon,
            later,
            `is valid from ${soon.toISOString()} on, and clients refuse it until then. Write one that is valid now, or set the clock of this machine.`
          ],
          [
            past,
            soon,
            `expires at ${soon.toISOString()}, in less than 7 days. Replace it and its key before that.`
          ],
          [past, later, undefined],
          [
            past,
            recent,
            `expired at ${recent.toISOString()}, and clients refuse it. Replace it and its key.`
          ],
          [past, far, undefined]
        ] as const) {
          const before = replaced()
          yield* write(from, to)
          while (replaced() === before) yield* Effect.sleep(20)
          expected.push(...(warning === undefined ? [] : [of(warning)]), inlineSoon)
          while (warned().length < expected.length) yield* Effect.sleep(20)
          assert.deepStrictEqual(warned(), expected)
        }
        // A change of another file reads the same certificates, and warns of nothing again.
        mkdirSync(join(path, "other"))
        yield* Effect.sleep(500)
        assert.deepStrictEqual(warned(), expected)
      })
    )
  )

  it.effect("are a warning each day", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => lines.push(String(message)))
    return Effect.gen(function* () {
      const { cert, key } = yield* pairOf("a.example", inDays(-90), inDays(-1))
      const config = {
        certificates: [{ cert, key: Redacted.make(key) }],
        requireClientCertificate: false,
        selfSigned: []
      }
      // What the certificates need of it.
      const serving = { context: Context.make(Environment, "local") } as unknown as Serving
      const { keep, options } = yield* TlsServer.make(config, "https://127.0.0.1", serving)
      yield* keep(createServer(options))
      yield* TestClock.adjust("2 days")
      assert.lengthOf(lines, 3)
      assert.lengthOf(new Set(lines), 1)
      assert.match(
        lines[0]!,
        /^The TLS certificate in server\.tls\.certificates\[0\]\.cert .* expired at /
      )
    }).pipe(Effect.provide(Logger.layer([logger])))
  })
})
