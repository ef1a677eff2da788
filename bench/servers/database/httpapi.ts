// Stock Effect: HttpApi on @effect/platform-node, with @effect/sql-pg.
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"
import { host, port } from "../support/Arguments.ts"
import { maxConnections, url } from "./Contract.ts"
import { reads, ReadsApi, writes, WritesApi } from "./ItemsApi.ts"

const api = HttpApi.make("bench").add(ReadsApi, WritesApi)

const Reads = HttpApiBuilder.group(api, "reads", (handlers) =>
  Effect.map(SqlClient, (sql) => handlers.handleAll(reads(sql)))
)

const Writes = HttpApiBuilder.group(api, "writes", (handlers) =>
  Effect.map(SqlClient, (sql) => {
    const { insert, raise } = writes(sql)
    return handlers.handleAll({
      insert: (request) => Effect.orDie(sql.withTransaction(insert(request))),
      raise: (request) => Effect.orDie(sql.withTransaction(raise(request)))
    })
  })
)

const app = HttpApiBuilder.layer(api).pipe(
  Layer.provide([Reads, Writes]),
  Layer.provide(PgClient.layer({ maxConnections, url: Redacted.make(url) }))
)

NodeRuntime.runMain(
  Layer.launch(
    Layer.provide(
      HttpRouter.serve(app, { disableListenLog: true, disableLogger: true }),
      NodeHttpServer.layer(createServer, { host, port })
    )
  )
)
