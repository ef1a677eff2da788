import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Environment } from "../../../../../src/Config/Environment.ts"
import type { Serving } from "../../../../../src/Server/Exchange/Serving.ts"
import { selfSigned } from "../../../../../src/Server/Listener/Node/Tls/SelfSigned.ts"
import * as TlsServer from "../../../../../src/Server/Listener/Node/Tls/TlsServer.ts"

describe("the certificates of a listener", () => {
  it.live("are those in the files if they changed before the files were watched", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const folder = mkdtempSync(join(tmpdir(), "flange-tls-"))
        yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
        const [cert, key] = [join(folder, "tls.crt"), join(folder, "tls.key")]
        const write = Effect.map(selfSigned(["a.example"]), (pair) => {
          writeFileSync(cert, pair.cert)
          writeFileSync(key, Redacted.value(pair.key))
          return pair.cert
        })
        yield* write
        const certificates = [{ cert, key: Redacted.make(key) }]
        const config = { certificates, requireClientCertificate: false, selfSigned: [] }
        // What the certificates need of it.
        const serving = { context: Context.make(Environment, "local") } as unknown as Serving
        const { keep, options } = yield* TlsServer.make(config, "https://127.0.0.1", serving)
        const server = createServer(options)
        const used: Array<unknown> = []
        server.setSecureContext = (options) => void used.push(options.cert)
        const next = yield* write
        yield* keep(server)
        while (used.length === 0) yield* Effect.sleep(20)
        assert.deepStrictEqual(used, [next])
      })
    )
  )
})
