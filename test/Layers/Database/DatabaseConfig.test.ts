import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Config from "flange/Config"
import * as Database from "flange/Database"
import { describe, expect, it } from "vitest"
import { targetOf } from "../../../src/Layers/Database/DatabaseConfig.ts"
import {
  describe as describeTarget,
  expectedUrl,
  mistakes
} from "../../../src/Layers/Database/DatabaseUrl.ts"

interface Given {
  readonly environment?: string
  readonly values?: object
  readonly variables?: Record<string, string>
}

const load = ({ environment = "local", values = {}, variables = {} }: Given) =>
  Effect.gen(function* () {
    const defaults = Database.plugin.manifest.defaults
    const resolved = yield* Config.load({
      defaults: [{ plugin: Database.plugin.id, values: defaults }],
      environment,
      sections: [Database.DatabaseConfig],
      values,
      variables
    })
    return yield* Effect.provide(Database.DatabaseConfig, resolved.context)
  }).pipe(Effect.provide(NodeServices.layer))

const target = (given: Given) =>
  Effect.runPromise(Effect.map(load(given), (settings) => describeTarget(targetOf(settings))))

const problems = (given: Given) =>
  Effect.runPromise(
    Effect.map(Effect.flip(load(given)), (error) => {
      expect(error._tag).toBe("ConfigError")
      return error.problems
    })
  )

describe("the section database", () => {
  it("has the documented defaults", async () => {
    const settings = await Effect.runPromise(load({}))
    expect(settings).toMatchObject({
      allowMigrations: [],
      maxConnections: 32,
      minConnections: 0,
      runMigrations: true
    })
    expect(Duration.toSeconds(settings.acquireTimeout)).toBe(5)
    expect(Duration.toSeconds(settings.bootWait)).toBe(20)
    expect(settings.migrations).toBeUndefined()
    expect(Duration.toSeconds(settings.statementTimeout)).toBe(30)
  })

  it("is PGlite in a directory locally, and in memory in the environment test", async () => {
    expect(await target({})).toBe("PGlite in the directory ./.flange/data")
    expect(await target({ environment: "test" })).toBe("PGlite in memory")
  })

  for (const environment of ["production", "staging", "development"]) {
    it(`has no silent default in ${environment}`, async () => {
      const [problem, ...others] = await problems({ environment })
      expect(others).toEqual([])
      expect(problem).toMatchObject({ key: "database.url", source: "not set" })
      expect(problem!.message).toContain("DATABASE_URL")
    })
  }

  it("takes the usual variables", async () => {
    const url = { DATABASE_URL: "postgres://ada:secret@db.example:6543/shop" }
    expect(await target({ variables: url })).toBe('PostgreSQL at db.example:6543, database "shop"')
    const parts = { DB_HOST: "db", DB_NAME: "shop", DB_PASSWORD: "p@ss/w:rd", DB_USER: "ada" }
    expect(await target({ environment: "production", variables: parts })).toBe(
      'PostgreSQL at db:5432, database "shop"'
    )
    expect(await target({ variables: { ...parts, DB_ENGINE: "mariadb", DB_PORT: "3307" } })).toBe(
      'MySQL at db:3307, database "shop"'
    )
    expect(await target({ variables: { ...parts, ...url } })).toContain("db.example")
  })

  it("takes the size of the pool, the engine and the migrations from variables", async () => {
    const variables = {
      DB_BACKEND: "mysql",
      DB_MAX_CONNECTIONS: "7",
      DB_MIN_CONNECTIONS: "2",
      DB_RUN_MIGRATIONS: "false"
    }
    expect(await Effect.runPromise(load({ variables }))).toMatchObject({
      engine: "mysql",
      maxConnections: 7,
      minConnections: 2,
      runMigrations: false
    })
    const [problem] = await problems({ variables: { ...variables, DB_ENGINE: "postgres" } })
    expect(problem!.message).toContain("DB_BACKEND and DB_ENGINE both set database.engine")
  })

  it("keeps every character of a password given in parts", async () => {
    const password = "p@ss/w:rd?#%20 ü"
    const variables = { DB_HOST: "db", DB_PASSWORD: password, DB_USER: "a:b" }
    const settings = await Effect.runPromise(load({ variables }))
    const found = targetOf(settings)
    if (found._tag === "Embedded") return expect.fail("not a server")
    expect(decodeURIComponent(new URL(Redacted.value(found.url)).password)).toBe(password)
    expect(found.user).toBe("a:b")
  })

  const good: ReadonlyArray<[string, string]> = [
    ["postgres://h/d", 'PostgreSQL at h:5432, database "d"'],
    ["postgresql://u@h:1/d", 'PostgreSQL at h:1, database "d"'],
    ["postgres://u@h", 'PostgreSQL at h:5432, database "u"'],
    ["postgres://u@h/d?sslmode=require", 'PostgreSQL at h:5432, database "d"'],
    ["postgres://u@[::1]/d", 'PostgreSQL at [::1]:5432, database "d"'],
    ["postgres://u@localhost/d?host=%2Frun%2Fpg", 'PostgreSQL at /run/pg:5432, database "d"'],
    ["mysql://h/d", 'MySQL at h:3306, database "d"'],
    ["mariadb://h:3307/d", 'MySQL at h:3307, database "d"'],
    ["pglite://memory", "PGlite in memory"],
    ["pglite://./data", "PGlite in the directory ./data"],
    ["pglite:///var/data", "PGlite in the directory /var/data"]
  ]
  for (const [url, words] of good) {
    it(`understands ${url}`, async () => {
      expect(await target({ values: { database: { url } } })).toBe(words)
    })
  }

  const bad = [
    "sqlite://./file.db",
    "http://h/d",
    "postgres//h",
    "nonsense",
    "postgres://u:%zz@h/d",
    ""
  ]
  for (const url of bad) {
    it(`refuses ${JSON.stringify(url)} with a list of what it takes`, async () => {
      const [problem] = await problems({ values: { database: { url } } })
      expect(problem!.key).toBe("database.url")
      for (const known of ["postgres://", "mysql://", "mariadb://", "pglite://memory"]) {
        expect(problem!.expected).toContain(known)
      }
    })
  }

  // A text that is part of the advice, as the whole URL or as its password.
  const masked: ReadonlyArray<readonly [url: string, mistake: keyof typeof mistakes]> = [
    ["data", "scheme"],
    ["pglite://", "pglite"],
    ["postgre", "scheme"],
    ["postgre://ada:host@db", "scheme"],
    ["postgres://ada:%2F@db:0", "port"],
    ["postgres://ada:host@db:70000/shop", "encoding"],
    ["postgres://ada:parts@db/a@b", "encoding"],
    ["postgres://ada:sslmode@db/shop?ssl=true", "postgresParameter"]
  ]
  for (const [url, mistake] of masked) {
    it(`refuses ${url} with the whole advice`, async () => {
      const [problem] = await problems({ variables: { DATABASE_URL: url } })
      expect(problem!.message).toBe(
        `<redacted> from variable DATABASE_URL is refused for database.url (${mistakes[mistake]}): write ${expectedUrl}.`
      )
    })
  }

  it("refuses pglite:// without a directory", async () => {
    const [problem] = await problems({ values: { database: { url: "pglite://" } } })
    expect(problem).toMatchObject({ key: "database.url", received: "<redacted>" })
  })

  it("shows no password in a problem", async () => {
    const url = "postgre://ada:hunter22@db/shop"
    const text = JSON.stringify(await problems({ variables: { DATABASE_URL: url } }))
    expect(text).not.toContain("hunter22")
  })

  it("refuses more connections at least than at most, and a host that is a URL", async () => {
    const [crossed] = await problems({
      values: { database: { maxConnections: 2, minConnections: 3 } }
    })
    expect(crossed).toMatchObject({ key: "database.minConnections" })
    const [host] = await problems({ values: { database: { host: "postgres://db" } } })
    expect(host).toMatchObject({ key: "database.host" })
  })
})
