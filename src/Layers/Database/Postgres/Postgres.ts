/** PostgreSQL through `@effect/sql-pg`. */
import type { Settings } from "../DatabaseConfig.ts"
import type { Server } from "../DatabaseUrl.ts"
import type { Password } from "../Password.ts"
import * as PoolMetrics from "../PoolMetrics.ts"
import * as Silence from "../Silence.ts"
import * as PgPoolClient from "./PgPoolClient.ts"

/** Returns the TLS option. If `ssl` is undefined, `sslmode` in the URL decides. */
const tls = (ssl: Settings["ssl"]) =>
  ssl === undefined ? {} : { ssl: ssl === "no-verify" ? { rejectUnauthorized: false } : ssl }

/** Creates the client, whose statements have comments if `comments` is true. Connections are opened on demand. */
export const make = (target: Server, settings: Settings, comments: boolean, password: Password) => {
  const limit = Silence.limitOf(settings.statementTimeout)
  return PgPoolClient.make({
    attributes: {
      "db.namespace": target.database,
      "server.address": target.host,
      "server.port": target.port
    },
    bounds: settings,
    comments,
    driver: "pg",
    name: PoolMetrics.nameOf(target),
    pool: {
      applicationName: "flange",
      connectionTTL: settings.connectionTtl,
      keepAlive: Silence.keepAlive,
      idleTimeout: settings.idleTimeout,
      maxConnections: settings.maxConnections,
      minConnections: settings.minConnections,
      ...(password === undefined ? {} : { password }),
      url: target.url,
      startupParameters: {
        ...(target.schema === undefined
          ? {}
          : { search_path: `"${target.schema.replaceAll('"', '""')}"` }),
        ...(limit === undefined ? {} : { statement_timeout: String(limit) })
      },
      ...tls(settings.ssl)
    },
    statementTimeout: limit
  })
}
