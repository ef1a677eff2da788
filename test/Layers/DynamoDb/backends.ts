// The backends of the tests. Each one has no tables, and closes with the scope.
import { once } from "node:events"
import type { Server } from "node:http"
import { createRequire } from "node:module"
import type { AddressInfo } from "node:net"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as AwsBackend from "../../../src/Layers/DynamoDb/AwsBackend.ts"
import type { Backend } from "../../../src/Layers/DynamoDb/Backend.ts"
import type { Shape } from "../../../src/Layers/DynamoDb/DynamoDb.ts"
import { DynamoDbConfig, type Settings } from "../../../src/Layers/DynamoDb/DynamoDbConfig.ts"
import { make } from "../../../src/Layers/DynamoDb/Make.ts"
import * as MemoryBackend from "../../../src/Layers/DynamoDb/MemoryBackend.ts"

/** dynalite has no types. */
const dynalite = createRequire(import.meta.url)("dynalite") as (options: {
  readonly createTableMs: number
}) => Server

/** The section `dynamoDb` with these values, as a file would have them. */
export const settings = (values: object): Settings =>
  Schema.decodeUnknownSync(Schema.toCodecJson(DynamoDbConfig.schema))({
    accessKeyId: "test",
    region: "eu-central-1",
    secretAccessKey: "test",
    timeout: "1 hour",
    ...values
  }) as Settings // what the section decodes to

/** Listens on a free port of this machine until the scope closes. Returns the URL. */
export const listening = (server: Server): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

/** The URL of a local server without tables. */
export const dynaliteServer = Effect.suspend(() => listening(dynalite({ createTableMs: 0 })))

/** The service over a backend. */
export const serviceOf = (backend: Backend): Effect.Effect<Shape> =>
  make(backend, { attempts: 4, prefix: "test-" })

/** A backend of the suites. */
export interface Kind {
  /** Whether it has transactions, and the item of a condition that failed. dynalite has neither. */
  readonly isWhole: boolean
  readonly name: string
  readonly open: Effect.Effect<Shape, unknown, Scope.Scope>
}

export const memory: Kind = {
  isWhole: true,
  name: "memory",
  open: Effect.suspend(() => serviceOf(MemoryBackend.make()))
}

export const local: Kind = {
  isWhole: false,
  name: "a local server",
  open: Effect.flatMap(dynaliteServer, (endpoint) =>
    Effect.flatMap(AwsBackend.make(settings({ endpoint })), serviceOf)
  )
}
