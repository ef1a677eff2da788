/** The configuration section `database`. */
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Config from "../../Config/index.ts"
import * as DatabaseUrl from "./DatabaseUrl.ts"
import { Allowance } from "./Migration/MigrationPlan.ts"

/** Refuses the texts with a mistake, for the fixed reason of the mistake. */
const without = (mistake: DatabaseUrl.Mistake) =>
  Schema.makeFilter<string>((text) => DatabaseUrl.read(text) !== mistake, {
    message: DatabaseUrl.mistakes[mistake]
  })

const Url = Schema.RedactedFromValue(
  Schema.String.check(
    without("character"),
    without("encoding"),
    without("host"),
    without("hosts"),
    without("mySqlParameter"),
    without("parameter"),
    without("pglite"),
    without("port"),
    without("postgresParameter"),
    without("scheme")
  )
).pipe(Config.expected(DatabaseUrl.expectedUrl))

const Host = Schema.String.check(
  Schema.isPattern(/^(\/.+|[^\s/@?#]+)$/),
  Schema.makeFilter(
    (host) => DatabaseUrl.parse(DatabaseUrl.fromParts({ engine: "postgres", host })) !== undefined
  )
).pipe(Config.expected("a host name, an IP address or the directory of a Unix socket"))

const duration = (text: string) => Config.Duration.pipe(Config.withDefault(text))

const Positive = Schema.Int.check(Schema.isGreaterThan(0))

const fields = {
  acquireTimeout: duration("5 seconds"),
  allowMigrations: Schema.Array(Allowance).pipe(Config.withDefault([])),
  bootWait: duration("20 seconds"),
  comments: Schema.Boolean.pipe(Config.withDefault(false)),
  connectionTtl: duration("30 minutes"),
  defaultUrl: Schema.optionalKey(Url),
  engine: Schema.Literals(["mariadb", "mysql", "postgres"]).pipe(Config.withDefault("postgres")),
  host: Schema.optionalKey(Host),
  idleTimeout: duration("1 minute"),
  maxConnections: Positive.pipe(Config.withDefault(32)),
  migrations: Schema.optionalKey(Schema.String),
  minConnections: Schema.Natural.pipe(Config.withDefault(0)),
  name: Schema.optionalKey(Schema.String),
  password: Schema.optionalKey(Config.Secret),
  port: Schema.optionalKey(Config.Port.check(Schema.isGreaterThan(0))),
  runMigrations: Schema.Boolean.pipe(Config.withDefault(true)),
  ssl: Schema.optionalKey(Schema.Union([Schema.Boolean, Schema.Literal("no-verify")])),
  statementTimeout: duration("30 seconds"),
  url: Schema.optionalKey(Url),
  user: Schema.optionalKey(Schema.String)
}

const Shape = Schema.Struct(fields).check(
  Schema.makeFilter(({ defaultUrl, host, maxConnections, minConnections, url }) => {
    const problems: Array<Schema.FilterIssue> = []
    if (url === undefined && host === undefined && defaultUrl === undefined) {
      problems.push({ issue: new SchemaIssue.MissingKey(undefined), path: ["url"] })
    }
    if (minConnections > maxConnections) {
      problems.push({
        issue: `it is more than maxConnections, which is ${maxConnections}`,
        path: ["minConnections"]
      })
    }
    return problems
  })
)

/**
 * Section `database`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `acquireTimeout` | 5 s | how long a query or transaction waits for a free connection |
 * | `allowMigrations` | none | problems that migrations may have: `late` for a number below an applied one, `missing` for an applied one without a file |
 * | `bootWait` | 20 s | how long the start waits for a server that does not answer yet |
 * | `comments` | false | whether each statement ends with a comment that names the app and the route, such as `application='shop',route='%2Fitems%2F%3Aid'`, for the slow-query log of the database; a statement that several routes send is then prepared once for each route |
 * | `connectionTtl` | 30 min | how long a connection is used before it is replaced |
 * | `defaultUrl` | `pglite://./.flange/data` in `local`, `pglite://memory` in `test` | used when neither `url` nor `host` is set |
 * | `engine` | `postgres` | with `host`: `postgres`, `mysql` or `mariadb`; variables `DB_ENGINE` and `DB_BACKEND` |
 * | `host` | none | server, when there is no `url`; variable `DB_HOST` |
 * | `idleTimeout` | 1 min | how long an unused connection stays open |
 * | `maxConnections` | 32 | size of the pool; PGlite always has one; variable `DB_MAX_CONNECTIONS` |
 * | `migrations` | `migrations`, if it exists | directory of the migrations |
 * | `minConnections` | 0 | connections that stay open; variable `DB_MIN_CONNECTIONS` |
 * | `name` | the user's name | with `host`: the database; variable `DB_NAME` |
 * | `password` | none | with `host`; variable `DB_PASSWORD` |
 * | `port` | 5432 or 3306 | with `host`; variable `DB_PORT` |
 * | `runMigrations` | true | whether the start applies pending migrations; variable `DB_RUN_MIGRATIONS` |
 * | `ssl` | from the URL | `true`, `false`, or `no-verify`: encrypted without checking the certificate |
 * | `statementTimeout` | 30 s | longest time a statement may run, and a stream may send nothing; `Infinity` for none; no effect on PGlite |
 * | `url` | none | `postgres://`, `postgresql://`, `mysql://`, `mariadb://` or `pglite://`; variable `DATABASE_URL` |
 * | `user` | none | with `host`; variable `DB_USER` |
 *
 * `url` takes precedence over `host` and the keys that go with it. If neither `url`,
 * `host` nor `defaultUrl` is set, as in `production`, the configuration is refused.
 */
export const DatabaseConfig = Config.section("database", Shape, {
  variables: {
    DATABASE_URL: "url",
    DB_BACKEND: "engine",
    DB_ENGINE: "engine",
    DB_HOST: "host",
    DB_MAX_CONNECTIONS: "maxConnections",
    DB_MIN_CONNECTIONS: "minConnections",
    DB_NAME: "name",
    DB_PASSWORD: "password",
    DB_PORT: "port",
    DB_RUN_MIGRATIONS: "runMigrations",
    DB_USER: "user"
  }
})

/** The decoded section `database`. */
export type Settings = Schema.Struct<typeof fields>["Type"]

/** Returns the defaults of an environment: `local` and `test` have a PGlite database. */
export const defaultsFor = (environment: string): object => {
  switch (environment) {
    case "local":
      return { database: { defaultUrl: "pglite://./.flange/data" } }
    case "test":
      return { database: { defaultUrl: "pglite://memory" } }
    default:
      return {}
  }
}

/** Returns the database that the section names. */
export const targetOf = (settings: Settings): DatabaseUrl.Target => {
  const { defaultUrl, engine, host, name, password, port, url, user } = settings
  const text =
    url !== undefined
      ? Redacted.value(url)
      : host !== undefined
        ? DatabaseUrl.fromParts({ engine, host, name, password, port, user })
        : Redacted.value(defaultUrl!) // the check of the section requires one of the three
  return DatabaseUrl.parse(text)! // the section checks URLs, and `fromParts` returns a valid one
}
