// A server that has no connection left for the app, because other clients hold them all.
import { createServer, type Socket } from "node:net"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { open } from "../backends.ts"
import { type Backend, onMySql, onServers } from "./Backends.ts"
import { ask, isClean, start } from "./Load.ts"
import * as Proxy from "./Proxy.ts"
import { rig } from "./Rig.ts"

/** How many connections the server allows the test's account. */
const most = 3

const served = ({ status }: { readonly status: number }) => status === 200
const refused = ({ status }: { readonly status: number }) => status === 503

/** Creates an account with few connections, and returns its URL. */
const account = (backend: Backend) =>
  Effect.gen(function* () {
    const admin = yield* open(backend.url)
    const name = `few_${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`
    const { hostname, port, pathname } = new URL(backend.url)
    const database = decodeURIComponent(pathname.slice(1))
    const run = (statements: ReadonlyArray<string>) =>
      Effect.forEach(statements, (one) => admin.unsafe(one).unprepared, { discard: true })
    const [create, remove] =
      backend.name === "MySQL"
        ? [
            [
              `create user '${name}'@'%' identified by 'pass' with max_user_connections ${most}`,
              `grant all on \`${database}\`.* to '${name}'@'%'`
            ],
            [`drop user '${name}'@'%'`]
          ]
        : [
            [
              `create role ${name} login password 'pass' connection limit ${most}`,
              `create schema ${name} authorization ${name}`
            ],
            [`drop schema ${name} cascade`, `drop role ${name}`]
          ]
    yield* Effect.acquireRelease(run(create!), () => Effect.ignore(run(remove!)))
    return `${backend.name === "MySQL" ? "mysql" : "postgres"}://${name}:pass@${hostname}:${port}/${database}`
  })

/** Holds connections of the account until the effect that it returns runs. */
const hold = (url: string, connections: number) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
    const other = yield* Scope.provide(open(url, { maxConnections: connections }), scope)
    for (let held = 0; held < connections; held++) {
      // The server may still count a connection that was broken a moment ago.
      yield* Effect.retry(Scope.provide(other.reserve, scope), { while: () => true })
    }
    return Scope.close(scope, Exit.void)
  })

onServers((backend) => {
  it.live(
    "without a connection for the app answers 503, and all is well when others close theirs",
    () =>
      Effect.gen(function* () {
        const url = yield* account(backend)
        const proxy = yield* Proxy.make(url)
        const { insert, script, test } = yield* rig(proxy, {
          acquireTimeout: "1 second",
          endpoint: true,
          maxConnections: 4
        })
        script.write = Effect.as(insert("a"), "done")
        yield* proxy.cut
        yield* proxy.restore
        const release = yield* hold(url, most)
        for (let request = 0; request < 5; request++) {
          const reply = yield* test.post("/write")
          reply.expectProblem("SERVICE_UNAVAILABLE", 503).expectHeader("retry-after", "1")
        }
        yield* release
        yield* Effect.repeat(ask(test), { until: served })
      })
  )

  it.live(
    "with fewer connections than the pool wants gives 200 or 503 under load, and recovers",
    () =>
      Effect.gen(function* () {
        const url = yield* account(backend)
        const { insert, script, test } = yield* rig(
          { url },
          { acquireTimeout: "1 second", endpoint: true, maxConnections: most }
        )
        script.write = insert("a").pipe(
          Effect.andThen(Effect.sleep("20 millis")),
          Effect.as("done")
        )
        const release = yield* hold(url, most - 1)
        const load = yield* start(test, 16)
        yield* load.until(32, refused)
        yield* release
        yield* load.until(100, served)
        yield* load.stop
        expect(load.replies.filter((reply) => !isClean(reply))).toEqual([])
        const after = yield* Effect.forEach(Array.from({ length: 20 }), () => ask(test), {
          concurrency: most
        })
        expect(after.filter(served)).toHaveLength(20)
      })
  )
})

/** What MySQL sends in the place of its greeting: error 1040. */
const tooMany = Buffer.from("\x17\0\0\0\xff\x10\x04Too many connections", "latin1")

onMySql((backend) => {
  it.live("that is full at the start is waited for", () =>
    Effect.gen(function* () {
      const proxy = yield* Proxy.make(backend.url)
      const sockets = new Set<Socket>()
      const full = createServer((socket) => {
        sockets.add(socket)
        socket.end(tooMany)
      })
      const url = new URL(proxy.url)
      yield* proxy.cut
      yield* Effect.callback<void>((resume) => {
        full.listen(Number(url.port), "127.0.0.1", () => resume(Effect.void))
      })
      const opening = yield* Effect.forkChild(open(proxy.url, { bootWait: "1 minute" }))
      yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => sockets.size >= 2 })
      yield* Effect.callback<void>((resume) => {
        full.close(() => resume(Effect.void))
      })
      yield* proxy.restore
      const sql = yield* Fiber.join(opening)
      expect(yield* sql`select 1 as one`).toEqual([{ one: 1 }])
    })
  )
})
