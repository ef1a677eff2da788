// Passwords that change while the app runs.
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { App, Plugin } from "flange"
import * as Database from "flange/Database"
import * as Secrets from "flange/Secrets"
import { TestSecrets } from "flange/Secrets/Testing"
import { TestApp } from "flange/Testing"
import { expect, it } from "vitest"
import { mysql, onEach, open, postgres } from "./backends.ts"

const User = Plugin.make("app:user", { requires: [SqlClient.SqlClient] })
const app = App.make("shop", [Database.plugin, Secrets.plugin, User])

/** How each test names the secret: the whole URL, or the password alone. */
const forms = ["url", "password"] as const

onEach([mysql, postgres], "A password that is a secret", (backend) => {
  it.each(forms)("changes under load without a failed query (%s)", (form) =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const admin = yield* backend.fresh
          const sql = yield* open(admin)
          const user = `u${randomUUID().replaceAll("-", "").slice(0, 12)}`
          const isMySql = backend.kind === "mysql"
          const account = isMySql ? `'${user}'@'%'` : user
          const alter = (verb: string, password: string) =>
            sql.unsafe(
              isMySql
                ? `${verb} user ${account} identified by '${password}'`
                : `${verb} role ${account} login password '${password}'`
            ).unprepared
          yield* Effect.acquireRelease(alter("create", "first"), () =>
            Effect.ignore(sql.unsafe(`drop ${isMySql ? "user" : "role"} ${account}`).unprepared)
          )
          if (isMySql) {
            yield* sql.unsafe(`grant all on ${new URL(admin).pathname.slice(1)}.* to ${account}`)
              .unprepared
          }
          const urlWith = (password: string) => {
            const url = new URL(admin)
            url.username = user
            url.password = password
            url.search = ""
            return url
          }
          const refused = (password: string) =>
            Effect.map(
              Effect.exit(Effect.scoped(open(urlWith(password).href, { bootWait: "2s" }))),
              Exit.isFailure
            )
          const isTrusted = !(yield* refused("wrong"))
          const { hostname, pathname, port } = urlWith("")
          const valueOf = (password: string) => (form === "url" ? urlWith(password).href : password)
          const memory = TestSecrets.make({ database: valueOf("first") })
          let reads = 0
          const test = yield* TestApp.make(app, {
            config: {
              database: {
                maxConnections: 12,
                runMigrations: false,
                ...(form === "url"
                  ? { url: "secret:database" }
                  : {
                      engine: isMySql ? "mysql" : "postgres",
                      host: hostname,
                      password: "secret:database",
                      port: Number(port) || (isMySql ? 3306 : 5432),
                      user,
                      name: pathname.slice(1)
                    })
              }
            },
            replace: [
              [
                Secrets.plugin,
                Layer.succeed(Secrets.Secrets, {
                  get: (name) =>
                    Effect.suspend(() => {
                      reads++
                      return memory.provider.read(name)
                    }),
                  stats: () => ({ failures: 0, reads, stale: [] })
                })
              ]
            ]
          })
          const client = yield* test.run(SqlClient.SqlClient)
          let count = 0
          const state = { isDone: false }
          const worker = Effect.gen(function* () {
            while (!state.isDone) {
              yield* client`select 1 as one`
              count++
            }
          })
          const load = (workers: number) =>
            Effect.forkChild(
              Effect.all(
                Array.from({ length: workers }, () => worker),
                { concurrency: "unbounded" }
              )
            )
          const served = (more: number) =>
            Effect.suspend(() => {
              const end = count + more
              return Effect.repeat(Effect.sleep(1), { until: () => count >= end })
            })
          const first = yield* load(2)
          yield* Effect.raceFirst(served(50), Fiber.join(first))
          yield* alter("alter", "second")
          memory.set("database", valueOf("second"))
          if (!isTrusted) expect(yield* refused("first")).toBe(true)
          yield* Effect.raceFirst(served(50), Fiber.join(first))
          const before = reads
          // Transactions hold their connections, so the pool opens more of them.
          const held = yield* Effect.forkChild(
            Effect.all(
              Array.from({ length: 8 }, () =>
                client.withTransaction(Effect.andThen(client`select 1 as one`, served(20)))
              ),
              { concurrency: "unbounded" }
            )
          )
          yield* Effect.raceFirst(Fiber.join(held), Fiber.join(first))
          // A server that trusts everybody accepts any password, so the reads are counted too.
          expect(reads).toBeGreaterThanOrEqual(before + 6)
          state.isDone = true
          yield* Fiber.join(first)
        })
      )
    )
  )
})
