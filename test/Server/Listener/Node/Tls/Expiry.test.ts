// Certificates that clients refuse for their dates, or will soon: at start and at each change.
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { generate } from "selfsigned"
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
        const inlineSoon = `The TLS certificate in server.tls.certificates[1].cert (DNS:b.example) expires at ${soon.toISOString()}, in less than 7 days. Write a new one with its key before that.`
        const of = (rest: string) => `The TLS certificate in ${cert} (DNS:a.example) ${rest}`
        const expected = [
          of(
            `expired at ${recent.toISOString()}, and clients refuse it. Write a new one with its key.`
          ),
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
            `expires at ${soon.toISOString()}, in less than 7 days. Write a new one with its key before that.`
          ],
          [past, later, undefined],
          [
            past,
            recent,
            `expired at ${recent.toISOString()}, and clients refuse it. Write a new one with its key.`
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
})
