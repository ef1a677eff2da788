// An S3 server that checks signatures: @20minutes/s3rver as a process of its own. It needs Node 24.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Backends from "../../../src/Layers/ObjectStore/Backends.ts"
import { make } from "../../../src/Layers/ObjectStore/Make.ts"
import { freePort } from "../Redis/server.ts"
import { maxSize, settings, temporary } from "./backends.ts"

/** The package says that it needs Node 24. */
export const hasS3rver = Number(process.versions.node.split(".")[0]) >= 24

/** Starts a server with an empty bucket. Returns the section `objectStore` for it. */
export const s3rverServer = Effect.gen(function* () {
  const folder = yield* temporary
  const port = yield* Effect.promise(freePort)
  yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const file = join(import.meta.dirname, "fixtures/s3rver.mjs")
      const child = spawn(
        process.execPath,
        ["--openssl-legacy-provider", file, folder, String(port)],
        {
          env: { ...process.env, NODE_OPTIONS: "" },
          stdio: ["ignore", "pipe", "inherit"]
        }
      )
      await Promise.race([
        once(child.stdout, "data"),
        once(child, "exit").then(() => {
          throw new Error("s3rver has ended")
        })
      ])
      return child
    }),
    (child) =>
      Effect.promise(async () => {
        if (child.exitCode !== null) return
        child.kill("SIGKILL")
        await once(child, "exit")
      })
  )
  return {
    accessKeyId: "S3RVER",
    backend: "s3",
    bucket: "shop",
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    region: "eu-central-1",
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    secretAccessKey: "S3RVER"
  }
})

/** A store on such a server. */
export const s3rver = Effect.gen(function* () {
  const values = yield* s3rverServer
  const backend = yield* Backends.open(settings(values))
  return { store: yield* make(backend, maxSize), values }
})
