// The object stores of the tests. Each one is empty, and closes with the scope.
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer, request, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { buildApp } from "fauxqs"
import type { Backend } from "../../../src/Layers/ObjectStore/Backend.ts"
import * as Backends from "../../../src/Layers/ObjectStore/Backends.ts"
import { make } from "../../../src/Layers/ObjectStore/Make.ts"
import type { Shape } from "../../../src/Layers/ObjectStore/ObjectStore.ts"
import {
  ObjectStoreConfig,
  type Settings
} from "../../../src/Layers/ObjectStore/ObjectStoreConfig.ts"

/** The section `objectStore` with these values, as a file would have them. */
export const settings = (values: object): Settings =>
  Schema.decodeUnknownSync(Schema.toCodecJson(ObjectStoreConfig.schema))({
    timeout: "1 hour",
    ...values
  }) as Settings // what the section decodes to

/** The longest content in the suites, in bytes. */
export const maxSize = 2 ** 25

export interface Opened {
  readonly backend: Backend
  readonly store: Shape
}

/** A backend of the suites. */
export interface Kind {
  /** Whether it stands for what fauxqs does otherwise than S3: the order of keys, and writes at one time. */
  readonly isFake: boolean
  readonly name: string
  readonly open: Effect.Effect<Opened, unknown, Scope.Scope>
}

const opened = (values: object) =>
  Effect.gen(function* () {
    const backend = yield* Backends.open(settings(values))
    return { backend, store: yield* make(backend, maxSize) }
  })

/** A directory that is removed with the scope. */
export const temporary: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "flange-objects-"))),
  (path) => Effect.promise(() => rm(path, { force: true, recursive: true }))
)

export const memory: Kind = { isFake: false, name: "memory", open: opened({ backend: "memory" }) }

export const directory: Kind = {
  isFake: false,
  name: "a directory",
  open: Effect.flatMap(temporary, (path) => opened({ backend: "directory", directory: path }))
}

export const listening = (server: Server): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      return (server.address() as AddressInfo).port
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

/** A request to S3 as it was sent. */
export interface Sent {
  readonly headers: Readonly<Record<string, Array<string> | string | undefined>>
  readonly method: string
  readonly url: string
}

/** The settings of a client, without its server. */
export const s3Values = {
  accessKeyId: "test",
  backend: "s3",
  bucket: "shop",
  forcePathStyle: true,
  partSize: "5 MiB",
  region: "eu-central-1",
  secretAccessKey: "test"
}

/**
 * An S3 server: fauxqs, with a server in front that does what fauxqs leaves out, `If-Match` and `If-None-Match`
 * of writes. fauxqs itself would listen on all interfaces.
 */
export const s3Server = Effect.gen(function* () {
  const app = buildApp({ logger: false })
  yield* Effect.acquireRelease(
    Effect.promise(() => app.listen({ host: "127.0.0.1", port: 0 })),
    () => Effect.promise(() => app.close())
  )
  const { port: behind } = app.server.address() as AddressInfo
  const sent: Array<Sent> = []
  const etagOf = (path: string): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      const head = request({ host: "127.0.0.1", method: "HEAD", path, port: behind }, (reply) => {
        reply.resume()
        resolve(reply.statusCode === 200 ? reply.headers.etag : undefined)
      })
      head.on("error", reject).end()
    })
  const front = createServer((incoming, reply) => {
    const { headers, method = "", url = "" } = incoming
    sent.push({ headers, method, url })
    const forward = () => {
      const outgoing = request(
        { headers, host: "127.0.0.1", method, path: url, port: behind },
        (answer) => {
          reply.writeHead(answer.statusCode ?? 500, answer.headers)
          answer.pipe(reply)
        }
      )
      outgoing.on("error", () => reply.destroy())
      reply.on("close", () => outgoing.destroy())
      incoming.pipe(outgoing)
    }
    const isWrite =
      (method === "PUT" && !url.includes("partNumber")) ||
      (method === "POST" && url.includes("uploadId"))
    if (!isWrite || (headers["if-match"] ?? headers["if-none-match"]) === undefined)
      return forward()
    void etagOf(url.split("?")[0]!).then((etag) => {
      const isMet =
        (headers["if-match"] === undefined || headers["if-match"] === etag) &&
        (headers["if-none-match"] === undefined || etag === undefined)
      if (isMet) return forward()
      incoming.resume()
      reply.writeHead(412, { "content-type": "application/xml" })
      reply.end("<Error><Code>PreconditionFailed</Code></Error>")
      return undefined
    })
  })
  const port = yield* listening(front)
  const values = { ...s3Values, endpoint: `http://127.0.0.1:${port}` }
  yield* Effect.promise(() => fetch(`${values.endpoint}/shop`, { method: "PUT" }))
  return { sent, values }
})

export const s3: Kind = {
  isFake: true,
  name: "S3",
  open: Effect.flatMap(s3Server, ({ values }) => opened(values))
}

export const openS3 = Effect.gen(function* () {
  const { sent, values } = yield* s3Server
  return { ...(yield* opened(values)), sent, values }
})
