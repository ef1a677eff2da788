import { randomUUID } from "node:crypto"
import { connect as tcp } from "node:net"
// The databases that the suites run on: PGlite always, servers when they answer.
//
// TEST_POSTGRES_URL and TEST_MYSQL_URL say where they are; else 127.0.0.1 is tried. Without a
// server its suites are skipped, and the reason is printed. CI_SERVICES=required makes that a
// failure. Every suite has a schema (PostgreSQL) or database (MySQL) of its own.
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import { describe, expect, it } from "vitest"
import { connect, type ConnectError } from "../../../src/Layers/Database/Connect.ts"
import { DatabaseConfig, type Settings } from "../../../src/Layers/Database/DatabaseConfig.ts"

/** A database to test. */
export interface Backend {
  /** Makes an empty place in it, removed when the scope closes, and gives its URL. */
  readonly fresh: Effect.Effect<string, ConnectError, Scope.Scope>
  readonly kind: "mysql" | "pg" | "pglite"
  readonly name: string
  /** Why it cannot be used here. */
  readonly unavailable: string | undefined
}

/** The section `database` with these values, as a file would have them. */
export const settings = (values: object): Settings =>
  Schema.decodeUnknownSync(Schema.toCodecJson(DatabaseConfig.schema))({
    bootWait: "5s",
    ...values
  }) as Settings // what the section decodes to

/** A client on a URL. */
export const open = (
  url: string,
  values: object = {}
): Effect.Effect<SqlClient.SqlClient, ConnectError, Scope.Scope> =>
  connect(settings({ url, ...values }))

const answers = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const { hostname, port, protocol } = new URL(url)
    const fallback = protocol.startsWith("postgres") ? 5432 : 3306
    const socket = tcp({ host: hostname, port: port === "" ? fallback : Number(port) })
    const finish = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1000, () => finish(false))
    socket.on("connect", () => finish(true))
    socket.on("error", () => finish(false))
  })

const firstThatWorks = async (urls: ReadonlyArray<string>): Promise<string | undefined> => {
  for (const url of urls) {
    if (!(await answers(url))) continue
    const exit = await Effect.runPromiseExit(Effect.scoped(open(url)))
    if (exit._tag === "Success") return url
  }
  return undefined
}

const within = (
  url: string,
  name: string,
  make: string,
  remove: string,
  result: string
): Effect.Effect<string, ConnectError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.scoped(
      Effect.gen(function* () {
        const sql = yield* open(url)
        yield* sql.unsafe(`${make} ${name}`).unprepared
        return result
      })
    ),
    () =>
      Effect.scoped(
        Effect.flatMap(open(url), (sql) => sql.unsafe(remove.replace("?", name)).unprepared)
      ).pipe(Effect.ignore)
  )

const uniqueName = () => `flange_${randomUUID().replaceAll("-", "").slice(0, 16)}`

const reasonFor = (variable: string, address: string): string =>
  `no server answers at ${hostOf(process.env[variable]) ?? address}: start one, or set ${variable}`

/** A URL may hold a password. */
const hostOf = (url: string | undefined) => (url === undefined ? undefined : new URL(url).host)

const explicitPostgres = process.env["TEST_POSTGRES_URL"]
const explicitMySql = process.env["TEST_MYSQL_URL"]

const postgresUrl = await firstThatWorks(
  explicitPostgres !== undefined
    ? [explicitPostgres]
    : ["postgres://postgres@127.0.0.1:5432/test", "postgres://root@127.0.0.1:5432/test"]
)
const mysqlUrl = await firstThatWorks([explicitMySql ?? "mysql://root@127.0.0.1:3306/test"])

export const pglite: Backend = {
  fresh: Effect.succeed("pglite://memory"),
  kind: "pglite",
  name: "PGlite",
  unavailable: undefined
}

export const postgres: Backend = {
  fresh: Effect.suspend(() => {
    const name = uniqueName()
    const url = new URL(postgresUrl!) // used only where it is available
    url.searchParams.set("options", `-c search_path=${name}`)
    return within(postgresUrl!, name, "create schema", "drop schema ? cascade", url.href)
  }),
  kind: "pg",
  name: "PostgreSQL",
  unavailable:
    postgresUrl === undefined ? reasonFor("TEST_POSTGRES_URL", "127.0.0.1:5432") : undefined
}

export const mysql: Backend = {
  fresh: Effect.suspend(() => {
    const name = uniqueName()
    const url = new URL(mysqlUrl!) // used only where it is available
    url.pathname = `/${name}`
    return within(mysqlUrl!, name, "create database", "drop database ?", url.href)
  }),
  kind: "mysql",
  name: "MariaDB/MySQL",
  unavailable: mysqlUrl === undefined ? reasonFor("TEST_MYSQL_URL", "127.0.0.1:3306") : undefined
}

/** A place like `fresh` in a database whose own time zone is that of Tokyo. */
export const otherTimeZone = (
  backend: Backend
): Effect.Effect<string, ConnectError, Scope.Scope> => {
  if (backend.kind !== "pg") return backend.fresh
  const name = uniqueName()
  const url = new URL(postgresUrl!) // used only where it is available
  url.pathname = `/${name}`
  return Effect.tap(
    within(postgresUrl!, name, "create database", "drop database ? with (force)", url.href),
    () =>
      Effect.scoped(
        Effect.flatMap(
          open(postgresUrl!),
          (sql) => sql.unsafe(`alter database ${name} set timezone to 'Asia/Tokyo'`).unprepared
        )
      )
  )
}

export const all: ReadonlyArray<Backend> = [pglite, postgres, mysql]

/** Runs a suite on each backend; those that are not there are skipped by name. */
export const onEach = (
  backends: ReadonlyArray<Backend>,
  title: string,
  suite: (backend: Backend) => void
): void => {
  for (const backend of backends) {
    const { name, unavailable } = backend
    if (unavailable === undefined) describe(`${title} on ${name}`, () => suite(backend))
    else if (process.env["CI_SERVICES"] === "required") {
      it(`${title} on ${name} has its server`, () => expect.fail(unavailable))
    } else {
      console.warn(`Skipped: ${title} on ${name}: ${unavailable}`)
      it.skip(`${title} on ${name} (${unavailable})`, () => {})
    }
  }
}
