/** PostgreSQL through `@effect/sql-pg`. */
import * as Duration from "effect/Duration"
import type { Settings } from "../DatabaseConfig.ts"
import type { Server } from "../DatabaseUrl.ts"
import * as PgPoolClient from "./PgPoolClient.ts"

/** How TLS is used; undefined leaves it to `sslmode` in the URL. */
const tls = (ssl: Settings["ssl"]) =>
  ssl === undefined ? {} : { ssl: ssl === "no-verify" ? { rejectUnauthorized: false } : ssl }

/** Makes the client; connections are opened when they are needed. */
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
      ...tls(settings.ssl),
      ...(settings.statementTimeout === undefined
        ? {}
        : {
            startupParameters: {
              statement_timeout: String(Math.ceil(Duration.toMillis(settings.statementTimeout)))
            }
          })
    }
  })
