/** Apps with TLS, their certificates and the folders of them. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Tls } from "../../../../../src/index.ts"
import * as TestApp from "../../../../../src/Testing/TestApp.ts"
import * as app from "../Http2/app.ts"

export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "flange-tls-"))),
  (path) => Effect.sync(() => rmSync(path, { force: true, recursive: true }))
)

/** Makes a pair as it is in settings. */
export const pair = (...names: ReadonlyArray<string>) =>
  Effect.map(Tls.selfSigned(names), ({ cert, key }) => ({ cert, key: Redacted.value(key) }))

export const boot = (tls: object, own: object = {}) =>
  TestApp.listening(app.make().app, { config: { server: { listener: "node", tls, ...own } } })
