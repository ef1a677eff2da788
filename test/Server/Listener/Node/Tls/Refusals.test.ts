// Certificates and settings of TLS with which an app does not start.
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestApp from "../../../../../src/Testing/TestApp.ts"
import * as app from "../Http2/app.ts"
import { boot, folder, pair } from "./rig.ts"

describe("TLS on the node listener", () => {
  for (const [name, tls, message] of [
    [
      "a file that is not there",
      { certificates: [{ cert: "/nowhere/tls.crt", key: "/nowhere/tls.key" }] },
      /certificates\[0\]\.cert cannot be read.*no such file/
    ],
    [
      "a text that is no certificate",
      {
        certificates: [
          {
            cert: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"
          }
        ]
      },
      /certificates\[0\] cannot be used/
    ]
  ] as const) {
    it.live(`an app with ${name} does not start, and the error names the key`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const error = yield* Effect.flip(boot(tls))
          assert.match(error.message, message)
        })
      )
    )
  }

  for (const [name, texts, message] of [
    ["an empty key", { key: "" }, /certificates\[0\] cannot be used: the key is empty/],
    ["an empty certificate", { cert: "" }, /certificates\[0\] cannot be used/],
    // Node would accept the certificates of every public authority.
    ["an empty file of authorities", { ca: "" }, /clientCa cannot be used: it has no certificate/],
    ["a file of authorities without PEM", { ca: "a\n" }, /clientCa cannot be used: it has no cert/],
    ["a key among the authorities", { ca: "key" }, /clientCa cannot be used.*no start line/],
    ["half an authority", { ca: "half" }, /clientCa cannot be used/]
  ] as const) {
    it.live(`an app with ${name} does not start`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const path = yield* folder
          const { cert, key } = yield* pair("a.example")
          const files = { ca: cert, cert, key, ...texts }
          if (files.ca === "key") files.ca = `${cert}\n${key}`
          if (files.ca === "half") files.ca = `${cert}\n${cert.slice(0, 200)}`
          for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text)
          const certificates = [{ cert: join(path, "cert"), key: join(path, "key") }]
          const error = yield* Effect.flip(boot({ certificates, clientCa: join(path, "ca") }))
          assert.match(error.message, message)
          assert.notInclude(error.message, "PRIVATE KEY-----")
        })
      )
    )
  }

  it.live("an app with the key of another certificate does not start", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const [first, second] = [yield* pair("a.example"), yield* pair("b.example")]
        const error = yield* Effect.flip(
          boot({ certificates: [{ cert: first.cert, key: second.key }] })
        )
        assert.match(error.message, /key values mismatch/)
        assert.notInclude(error.message, "PRIVATE KEY")
      })
    )
  )

  for (const [name, server] of [
    ["tls without a certificate", { tls: {} }],
    [
      "tls with two kinds of certificates",
      { tls: { certificates: [{ cert: "a", key: "b" }], selfSigned: ["a"] } }
    ],
    ["tls and h2c", { h2c: true, tls: { selfSigned: ["a"] } }],
    ["tls on the proxied listener", { listener: "proxied", tls: { selfSigned: ["a"] } }],
    ["h2c on the proxied listener", { h2c: true, listener: "proxied" }],
    [
      "required certificates of no authority",
      { tls: { requireClientCertificate: true, selfSigned: ["a"] } }
    ]
  ] as const) {
    it.live(`a configuration of ${name} is refused`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const error = yield* Effect.flip(
            TestApp.listening(app.make().app, {
              config: { server: { listener: "node", ...server } }
            })
          )
          assert.strictEqual(error._tag, "ConfigError")
        })
      )
    )
  }
})
