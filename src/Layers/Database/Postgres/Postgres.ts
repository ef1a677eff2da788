/** PostgreSQL through `@effect/sql-pg`. */
import * as Duration from "effect/Duration"
import type { Settings } from "../DatabaseConfig.ts"
import type { Server } from "../DatabaseUrl.ts"
import * as PgPoolClient from "./PgPoolClient.ts"

/** Returns the TLS option. If `ssl` is undefined, `sslmode` in the URL decides. */
const tls = (ssl: Settings["ssl"]) =>
  ssl === undefined ? {} : { ssl: ssl === "no-verify" ? { rejectUnauthorized: false } : ssl }

/** Creates the client. Connections are opened on demand. */
export const make = (target: Server, settings: Settings) =>
  PgPoolClient.make({
    attributes: {
      "db.namespace": target.database,
      "server.address": target.host,
      "server.port": target.port
    },
    bounds: settings,
    driver: "pg",
    pool: {
      applicationName: "flange",
      connectionTTL: settings.connectionTtl,
      idleTimeout: settings.idleTimeout,
      maxConnections: settings.maxConnections,
      minConnections: settings.minConnections,
      url: target.url,
      startupParameters: {
        ...(target.schema === undefined
          ? {}
          : { search_path: `"${target.schema.replaceAll('"', '""')}"` }),
        ...(settings.statementTimeout === undefined
          ? {}
          : { statement_timeout: String(Math.ceil(Duration.toMillis(settings.statementTimeout))) })
      },
      ...tls(settings.ssl)
    }
  })
