import { assert, describe, it } from "@effect/vitest"
import { Sharding } from "effect/cluster/Sharding"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { App, Plugin, Role } from "flange"
import * as Cluster from "flange/Cluster"
import { TestCluster } from "flange/Cluster/Testing"
import * as Database from "flange/Database"
import * as Jobs from "flange/Jobs"
import { TestApp } from "flange/Testing"
import { expect } from "vitest"
import * as Prune from "../../../src/Layers/Cluster/Prune.ts"
import { mysql, onEach, open, pglite, postgres } from "../Database/backends.ts"
import { proxyTo } from "../Database/proxy.ts"
import * as order from "./order.ts"

const app = App.make("shop", [Database.plugin, Cluster.plugin, order.plugin()])

const Noop = Workflow.make("Noop", {
  idempotencyKey: ({ id }) => id,
  payload: { id: Schema.String },
  success: Schema.String
})

/** Both batteries that make tables. */
const both = App.make("shop", [
  Database.plugin,
  Cluster.plugin,
  Jobs.withCluster,
  Plugin.make("app:noop", {
    contributes: [
      Cluster.workflow(Noop, () => Effect.succeed("done")),
      Jobs.Job.every("often", "1 second", Effect.void)
    ]
  })
])

const run = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) =>
  Effect.runPromise(Effect.scoped(effect))

const prefix = () => `c${Math.random().toString(36).slice(2, 10)}`

onEach([pglite, postgres], "the cluster", (backend) => {
  it(
    "runs each activity of a workflow once and keeps the result",
    () =>
      run(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const test = yield* TestApp.make(app, {
            config: { cluster: { poll: "20 millis", prefix: prefix() }, database: { url } }
          })
          const first = yield* test.run(order.Order.execute({ id: "7" }))
          const again = yield* test.run(order.Order.execute({ id: "7" }))
          expect([first, again]).toEqual(["7 is done", "7 is done"])
          const sql = yield* test.run(SqlClient)
          expect(yield* sql`select name from steps`).toEqual([
            { name: "first" },
            { name: "second" }
          ])
        })
      ),
    60_000
  )

  it(
    "prunes the messages of a workflow that has ended, and none of one that waits",
    () =>
      run(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const name = prefix()
          const waiting = App.make("shop", [
            Database.plugin,
            Cluster.plugin,
            order.plugin(Effect.never)
          ])
          const values = { cluster: { poll: "20 millis", prefix: name }, database: { url } }
          const test = yield* TestApp.make(waiting, { config: values })
          const sql = yield* test.run(SqlClient)
          const own = sql`select id from ${sql(`${name}_messages`)} where entity_type = 'Workflow/Order' order by id`
          yield* test.run(order.Order.execute({ id: "waits" }, { discard: true }))
          while ((yield* sql`select 1 as one from steps`).length < 2) yield* Effect.sleep(20)
          const before = yield* own
          yield* Prune.make(sql, name, Duration.millis(-1000))
          expect(before.length).toBeGreaterThan(2)
          expect(yield* own).toEqual(before)
        })
      ),
    60_000
  )

  it(
    "prunes the rows of an ended workflow after the retention",
    () =>
      run(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const name = prefix()
          const test = yield* TestApp.make(app, {
            config: { cluster: { poll: "20 millis", prefix: name }, database: { url } }
          })
          const sql = yield* test.run(SqlClient)
          const left = Effect.all([
            sql`select 1 as one from ${sql(`${name}_messages`)}`,
            sql`select 1 as one from ${sql(`${name}_replies`)}`
          ])
          yield* test.run(order.Order.execute({ id: "7" }))
          yield* Prune.make(sql, name, Duration.days(7))
          expect((yield* left)[0].length).toBeGreaterThan(2)
          while (!(yield* Effect.map(left, ([messages]) => messages.length === 0))) {
            yield* Prune.make(sql, name, Duration.millis(-1000))
            yield* Effect.sleep(20)
          }
          expect(yield* left).toEqual([[], []])
        })
      ),
    60_000
  )
})

onEach([pglite, postgres], "the pruning of child workflows", (backend) => {
  const make = (name: string) =>
    Workflow.make(name, {
      idempotencyKey: ({ id }) => id,
      payload: { id: Schema.String },
      success: Schema.String
    })
  const [Child, Parent] = [make("Child"), make("Parent")]
  const family = (after: Effect.Effect<void>) =>
    App.make("shop", [
      Database.plugin,
      Cluster.plugin,
      Plugin.make("app:family", {
        contributes: [
          Cluster.workflow(Child, ({ id }) => Effect.succeed(`child ${id}`)),
          Cluster.workflow(Parent, ({ id }) =>
            Effect.gen(function* () {
              const child = yield* Child.execute({ id })
              yield* Activity.make({ execute: after, name: "after" })
              return `parent of ${child}`
            })
          )
        ]
      })
    ])

  it.each(["7", "a NUL \0, half a pair \ud800 and \\u0000\\"])(
    "removes all rows of a parent and its child that have ended, with the id %j",
    (id) =>
      run(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const name = prefix()
          const test = yield* TestApp.make(family(Effect.void), {
            config: { cluster: { poll: "20 millis", prefix: name }, database: { url } }
          })
          expect(yield* test.run(Parent.execute({ id }))).toBe(`parent of child ${id}`)
          const sql = yield* test.run(SqlClient)
          const left = Effect.all([
            sql`select 1 as one from ${sql(`${name}_messages`)}`,
            sql`select 1 as one from ${sql(`${name}_replies`)}`
          ])
          while (!(yield* Effect.map(left, (all) => all.every(({ length }) => length === 0)))) {
            yield* Prune.make(sql, name, Duration.millis(-1000))
            yield* Effect.sleep(20)
          }
        })
      ),
    60_000
  )

  it(
    "keeps the rows of a child that has ended until its parent has",
    () =>
      run(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const name = prefix()
          const reached = yield* Deferred.make<void>()
          const open = yield* Deferred.make<void>()
          const after = Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(open))
          const test = yield* TestApp.make(family(after), {
            config: { cluster: { poll: "20 millis", prefix: name }, database: { url } }
          })
          yield* test.run(Parent.execute({ id: "7" }, { discard: true }))
          yield* Deferred.await(reached)
          const sql = yield* test.run(SqlClient)
          const own = sql`select id from ${sql(`${name}_messages`)} where entity_type = 'Workflow/Child' order by id`
          const before = yield* own
          yield* Prune.make(sql, name, Duration.millis(-1000))
          expect(before.length).toBeGreaterThan(0)
          expect(yield* own).toEqual(before)
          // Effect resumes a parent by an effect that cannot be interrupted, so the app stops after its run.
          yield* Deferred.succeed(open, undefined)
          expect(yield* test.run(Parent.execute({ id: "7" }))).toBe("parent of child 7")
        })
      ),
    60_000
  )
})

onEach([postgres], "the boot of the cluster", (backend) => {
  it(
    "finds its tables with a role that cannot create any",
    () =>
      run(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const sql = yield* open(url)
          const role = prefix()
          const name = prefix()
          yield* sql.unsafe(`create role ${role} login`).unprepared
          yield* Effect.addFinalizer(() =>
            Effect.ignore(
              Effect.andThen(
                sql.unsafe(`drop owned by ${role}`).unprepared,
                sql.unsafe(`drop role ${role}`).unprepared
              )
            )
          )
          const boot = (from: string) =>
            Effect.scoped(
              Effect.flatMap(
                TestApp.make(both, {
                  config: { cluster: { poll: "20 millis", prefix: name }, database: { url: from } }
                }),
                (test) => test.run(Noop.execute({ id: "7" }))
              )
            )
          const limited = new URL(url)
          limited.username = role
          const schema = /flange_\w+/.exec(url)![0]
          yield* sql.unsafe(`grant usage on schema ${schema} to ${role}`).unprepared
          const refused = yield* Effect.flip(boot(limited.href))
          expect(refused.message).toContain("permission denied")
          expect(refused.message).toContain("create tables")
          yield* boot(url)
          yield* sql.unsafe(
            `grant select, insert, update, delete on all tables in schema ${schema} to ${role}`
          ).unprepared
          yield* sql.unsafe(`grant usage on all sequences in schema ${schema} to ${role}`)
            .unprepared
          expect(yield* boot(limited.href)).toBe("done")
        })
      ),
    60_000
  )

  it(
    "fails with ClusterUnavailable if the database goes away after it was opened",
    () =>
      run(
        Effect.gen(function* () {
          const proxy = yield* proxyTo(yield* backend.fresh)
          const away = Layer.effect(
            SqlClient,
            Effect.tap(open(proxy.url, { acquireTimeout: "500 millis" }), () => proxy.down)
          )
          const test = TestApp.make(
            App.make("shop", [
              Plugin.make("app:sql", { layer: away, provides: [SqlClient] }),
              Cluster.plugin
            ])
          )
          const error = yield* Effect.flip(test)
          expect(error._tag).toBe("ClusterUnavailable")
          expect(error.message).toContain("Start the server again")
        })
      ),
    60_000
  )

  const failure = (config: object) =>
    Effect.gen(function* () {
      const url = yield* backend.fresh
      return yield* Effect.flip(
        TestApp.make(App.make("shop", [Database.plugin, Cluster.plugin]), {
          config: { cluster: { prefix: prefix() }, database: { url, ...config } }
        })
      )
    })

  it(
    "refuses a pool of one connection and says what to set",
    () =>
      run(
        Effect.gen(function* () {
          const error = yield* failure({ acquireTimeout: "200 millis", maxConnections: 1 })
          expect(error._tag).toBe("ClusterPoolTooSmall")
          expect(error.message).toContain("Set database.maxConnections to 2 or more")
        })
      ),
    60_000
  )

  it(
    "starts a process of the role server with one connection, and it holds no shard",
    () =>
      run(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const test = yield* TestApp.make(App.make("shop", [Database.plugin, Cluster.plugin]), {
            config: {
              app: { role: "server" },
              cluster: { prefix: prefix() },
              database: { maxConnections: 1, url }
            }
          })
          const sharding = yield* test.run(Sharding)
          expect(yield* sharding.activeEntityCount).toBe(0)
        })
      ),
    60_000
  )
})

onEach([mysql], "the boot of the cluster", (backend) => {
  it(
    "refuses a database that is not PostgreSQL",
    () =>
      run(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const error = yield* Effect.flip(
            TestApp.make(App.make("shop", [Database.plugin, Cluster.plugin]), {
              config: { database: { url } }
            })
          )
          expect(error.message).toContain(
            "PostgreSQL and PGlite, and the database of the app is MySQL"
          )
        })
      ),
    60_000
  )
})

describe("TestCluster", () => {
  it("refuses a workflow that an app lists twice", () => {
    const listing = (id: string) =>
      Plugin.make(id, {
        contributes: [Cluster.workflow(order.Order, ({ id }) => Effect.succeed(id))]
      })
    const twice = App.make("shop", [
      Database.plugin,
      Cluster.plugin,
      listing("shop:a"),
      listing("shop:b")
    ])
    return expect(run(TestApp.make(twice))).rejects.toThrow(
      'RepeatedWorkflow: The workflow "Order" is listed several times, in "shop:a", "shop:b"'
    )
  })

  it("refuses a workflow of another role", () => {
    const workflow = Cluster.workflow(order.Order, ({ id }) => Effect.succeed(id))
    const shop = Plugin.make("shop:a", { contributes: [Role.assign(workflow, "scheduler")] })
    return expect(
      run(TestApp.make(App.make("shop", [Database.plugin, Cluster.plugin, shop])))
    ).rejects.toThrow(
      'UnfitRole: The workflow "Order" of "shop:a" is assigned to "scheduler", and only processes with the role "worker" carry it out'
    )
  })

  it.effect("runs a workflow on the clock of the test", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app, {
        config: { database: { url: "pglite://memory" } },
        replace: [[Cluster.plugin, TestCluster.layer]]
      })
      const fiber = yield* Effect.forkChild(test.run(order.Order.execute({ id: "7" })))
      while (fiber.pollUnsafe() === undefined) {
        yield* TestClock.adjust("50 millis")
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
      }
      assert.strictEqual(yield* Fiber.join(fiber), "7 is done")
    })
  )
})
