// A database URL that is not understood is refused without a piece of it in the error or the log.
import { createServer } from "node:net"
import { inspect } from "node:util"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { App } from "flange"
import * as Database from "flange/Database"
import * as Logging from "flange/Logging"
import { TestApp } from "flange/Testing"
import { describe, expect, it } from "vitest"
import { mistakes, read } from "../../../src/Layers/Database/DatabaseUrl.ts"
import { all, mysql, onEach, open, postgres } from "./backends.ts"

const app = App.make("shop", [Logging.plugin, Database.plugin])

const run = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) =>
  Effect.runPromise(Effect.scoped(effect))

/** Everything that a person or a machine can see of a failed boot. */
const seen = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "booted"
  const errors = exit.cause.reasons.filter(Cause.isFailReason).map(({ error }) => error)
  return [
    Cause.pretty(exit.cause),
    inspect(exit, { depth: 20, showHidden: true }),
    ...errors.flatMap((error) => [
      String(error),
      JSON.stringify(error),
      error instanceof Error ? `${error.stack} ${inspect(error.cause, { depth: 20 })}` : ""
    ])
  ].join("\n")
}

const refused: ReadonlyArray<readonly [url: string, mistake: keyof typeof mistakes]> = [
  ["mariadb:/app:hunter2@127.0.0.1/test", "scheme"],
  ["mysql://app:12#hunter2@127.0.0.1/test", "encoding"],
  ["mysql://app:12/hunter2@127.0.0.1/test", "encoding"],
  ["mysql://app:12?hunter2@127.0.0.1/test", "encoding"],
  ["mysql://app@h/d?password=hunter2", "mySqlParameter"],
  ["mysql:app:hunter2@127.0.0.1/test", "scheme"],
  ["pglite://app:hunter2@127.0.0.1/test", "pglite"],
  ["pglite://memory?password=hunter2", "pglite"],
  ["postgre://app:hunter2@127.0.0.1/test", "scheme"],
  ["postgres//app:hunter2@127.0.0.1/test", "scheme"],
  ["postgres:///app:hunter2@127.0.0.1/test", "encoding"],
  ["postgres://app:#hunter2@127.0.0.1/test", "encoding"],
  ["postgres://app:/hunter2@127.0.0.1/test", "encoding"],
  ["postgres://app:12#hunter2@127.0.0.1/test", "encoding"],
  ["postgres://app:12/hunter2@127.0.0.1/test", "encoding"],
  ["postgres://app:12?application_name=hunter2@127.0.0.1/test", "encoding"],
  ["postgres://app:12?hunter2@127.0.0.1/test", "encoding"],
  ["postgres://app:12\\/hunter2@127.0.0.1/test", "encoding"],
  ["postgres://app:hunter2%@127.0.0.1/test", "encoding"],
  ["postgres://app:hunter2@127.0.0.1/test/x", "encoding"],
  ["postgres://app:hunter2@h/d?application_name=x&application_name=y", "parameter"],
  ["postgres://app:hunter2@h/d?connect_timeout=soon", "parameter"],
  ["postgres://app:hunter2@h/d?hunter2", "postgresParameter"],
  ["postgres://app:hunter2@h/d?schema=", "parameter"],
  ["postgres://app:hunter2@h/d?sslmode=sometimes", "parameter"],
  ["postgres://app:hunter2@h/d?sslrootcert=ca.pem", "postgresParameter"],
  ["postgres://app:hunter2@h1,h2/d", "hosts"],
  ["postgres://app:hunter2@h1:1,h2:2/d", "hosts"],
  ["postgres://app:hunter2@h:0/d", "port"],
  ["postgres://app:hunter2@h;x/d", "host"],
  ["postgres://app:hunter2\n@h/d", "character"],
  ["postgres://app:hunter2\t@h/d", "character"],
  ["postgres://app@h/d?host=a,b&password=hunter2", "hosts"],
  ["postgres://app@h/d?password=hunter2&sslmode=REQUIRE", "parameter"],
  ["postgres://h/d?user=app%00&password=hunter2", "character"],
  ["postgres:app:hunter2 x@127.0.0.1/test", "scheme"],
  ["postgres:hunter2@127.0.0.1/test", "scheme"],
  ["postgresql//app:hunter2@127.0.0.1/test", "scheme"],
  ["postgresql//app:p %#hunter2@127.0.0.1/test", "scheme"],
  ["sqlite://hunter2", "scheme"],
  ["hunter2", "scheme"]
]

describe("a database URL that is not understood", () => {
  const places = {
    DATABASE_URL: (url: string) => ({ variables: { DATABASE_URL: url } }),
    "database.defaultUrl": (url: string) => ({ values: { database: { defaultUrl: url } } }),
    "database.url": (url: string) => ({ values: { database: { url } } })
  }
  for (const [url, mistake] of refused) {
    for (const [place, options] of Object.entries(places)) {
      it(`is refused in ${place} for a fixed reason and never printed: ${JSON.stringify(url)}`, () =>
        run(
          Effect.gen(function* () {
            expect(read(url)).toBe(mistake)
            const exit = yield* Effect.exit(TestApp.make(app, options(url)))
            const text = seen(exit)
            expect(text).toContain("ConfigError")
            expect(text).toContain(mistakes[mistake])
            expect(text).not.toContain("hunter2")
          })
        ))
    }
  }

  it("is not printed as the host either", () =>
    run(
      Effect.gen(function* () {
        for (const host of ["app:hunter2@h", "postgres:hunter2@h", "postgres://app:hunter2@h/d"]) {
          const exit = yield* Effect.exit(TestApp.make(app, { variables: { DB_HOST: host } }))
          expect(seen(exit)).toContain("ConfigError")
          expect(seen(exit)).not.toContain("hunter2")
        }
        const exit = yield* Effect.exit(TestApp.make(app, { variables: { DB_HOST: "a:b" } }))
        expect(seen(exit)).toContain("ConfigError")
      })
    ))
})

describe("a server that cannot be reached", () => {
  it("is named without the password, whatever characters it has", () =>
    run(
      Effect.gen(function* () {
        const password = "p@ss/w:rd?#% hunter2"
        const closed = "127.0.0.1:1"
        const urls = [
          `postgres://app:${encodeURIComponent(password)}@${closed}/d`,
          `postgres://app:p ss hunter2@${closed}/d`,
          `postgres://app:p@ss@hunter2@${closed}/d`,
          `postgres://${closed}/d?user=app&password=${encodeURIComponent(password)}`,
          `mysql://app:${encodeURIComponent(password)}@${closed}/d`
        ]
        for (const url of urls) {
          const config = { database: { bootWait: "1ms", url } }
          const exit = yield* Effect.exit(TestApp.make(app, { config }))
          expect(seen(exit)).toContain("DatabaseUnreachable")
          expect(seen(exit)).not.toContain("hunter2")
        }
      })
    ))
})

describe("a mistake that time does not mend", () => {
  const bootWait = "1 hour"

  it("is a missing user: no server is asked", () => {
    const { USER, USERNAME } = process.env
    delete process.env["USER"]
    delete process.env["USERNAME"]
    return run(
      Effect.gen(function* () {
        for (const url of ["mysql://127.0.0.1:1/d", "postgres://127.0.0.1:1/d"]) {
          const error = yield* Effect.flip(open(url, { bootWait }))
          expect(error._tag).toBe("DatabaseUnreachable")
          expect(error.message).toContain("names no user")
          expect(error.message).toMatch(/is not set\. Correct DATABASE_URL\.$/)
        }
      })
    ).finally(() => {
      if (USER !== undefined) process.env["USER"] = USER
      if (USERNAME !== undefined) process.env["USERNAME"] = USERNAME
    })
  })

  it("is a server without TLS: it is not asked again", () =>
    run(
      Effect.gen(function* () {
        // The answer of a PostgreSQL server without TLS to a request for it.
        const server = yield* Effect.acquireRelease(
          Effect.callback<ReturnType<typeof createServer>>((resume) => {
            const made = createServer((socket) => {
              socket.on("error", () => {})
              socket.once("data", () => socket.end("N"))
            })
            made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
          }),
          (made) => Effect.sync(() => made.close())
        )
        const address = server.address()
        const port = typeof address === "object" ? address?.port : 0
        const url = `postgres://app@127.0.0.1:${port}/d?sslmode=require`
        const error = yield* Effect.flip(open(url, { bootWait }))
        expect(error.message).toContain("does not support TLS")
      })
    ))
})

onEach([mysql, postgres], "A server with a certificate of its own", (backend) => {
  it("is refused at once when the certificate must be known", () =>
    run(
      Effect.gen(function* () {
        const url = new URL(yield* backend.fresh)
        if (backend.kind === "mysql") url.searchParams.set("ssl-mode", "VERIFY_IDENTITY")
        else url.searchParams.set("sslmode", "verify-full")
        const error = yield* Effect.flip(open(url.href, { bootWait: "1 hour" }))
        expect(error._tag).toBe("DatabaseUnreachable")
      })
    ))
})

onEach([postgres], "?schema=", (backend) => {
  it("is where unqualified names are looked up and created", () =>
    run(
      Effect.gen(function* () {
        const url = new URL(yield* backend.fresh)
        const sql = yield* open(url.href)
        yield* sql`create schema "A ""b"""`
        yield* Effect.addFinalizer(() => Effect.orDie(sql`drop schema "A ""b""" cascade`))
        url.search = ""
        url.searchParams.set("schema", 'A "b"')
        const other = yield* open(url.href)
        yield* other`create table items (id integer)`
        expect(
          yield* sql`select schemaname from pg_tables where tablename = 'items' and schemaname = 'A "b"'`
        ).toEqual([{ schemaname: 'A "b"' }])
      })
    ))
})

describe("an understood URL", () => {
  it("is never refused for the database that a suite runs on", () =>
    run(
      Effect.forEach(all, (backend) =>
        backend.unavailable === undefined
          ? Effect.map(backend.fresh, (url) => expect(typeof read(url)).toBe("object"))
          : Effect.void
      )
    ))
})
