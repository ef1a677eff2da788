// The sample API as a process, the way `npm start` runs it: its items are there after a restart.
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Backend, mysql, onEach, postgres } from "../Layers/Database/backends.ts"
import { freePort, node, type Process, serving } from "./process.ts"

interface Running {
  readonly create: (name: string) => Promise<void>
  /** The names of all items. */
  readonly names: () => Promise<ReadonlyArray<string>>
  readonly server: Process
  readonly url: string
}

/** A directory of PGlite's own, that is not there yet. */
const embedded: Backend = {
  fresh: Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "flange-sample-"))),
    (folder) => Effect.promise(() => rm(folder, { force: true, recursive: true }))
  ).pipe(Effect.map((folder) => `pglite://${join(folder, "data")}`)),
  kind: "pglite",
  name: "the embedded PGlite",
  unavailable: undefined
}

const start = (database: string) =>
  Effect.acquireRelease(
    Effect.promise(async (): Promise<Running> => {
      const port = await freePort()
      const url = `http://127.0.0.1:${port}`
      const env = { DATABASE_URL: database, PORT: String(port) }
      const server = node(["examples/sample-api/main.ts"], env)
      await serving(server, `${url}/readyz`)
      const items = `${url}/v1/items`
      return {
        create: async (name) => {
          const headers = { "content-type": "application/json" }
          const body = JSON.stringify({ name })
          const { status } = await fetch(items, { body, headers, method: "POST" })
          expect(status, server.output()).toBe(201)
        },
        names: async () => {
          const page = (await (await fetch(items)).json()) as {
            readonly items: ReadonlyArray<{ readonly name: string }>
          }
          return page.items.map(({ name }) => name)
        },
        server,
        url
      }
    }),
    ({ server }) => Effect.sync(() => server.child.kill("SIGKILL"))
  )

const stop = ({ server }: Running, signal: NodeJS.Signals) =>
  Effect.promise(async () => {
    server.child.kill(signal)
    return server.exitCode
  })

onEach([embedded, mysql, postgres], "the sample API as a process", ({ fresh }) => {
  it.live("serves its own client, and keeps its items over SIGTERM and SIGKILL", () =>
    Effect.gen(function* () {
      const database = yield* fresh

      const first = yield* start(database)
      const client = node(["examples/sample-api/client.ts", first.url])
      expect(yield* Effect.promise(() => client.exitCode), client.output()).toBe(0)
      expect(client.output()).toMatch(/created.*listed.*read.*replaced.*updated.*removed.*missing/s)
      yield* Effect.promise(() => first.create("before SIGTERM"))
      expect(yield* stop(first, "SIGTERM"), first.server.output()).toBe(0)

      const second = yield* start(database)
      yield* Effect.promise(() => second.create("before SIGKILL"))
      yield* stop(second, "SIGKILL")

      const third = yield* start(database)
      const names = yield* Effect.promise(() => third.names())
      expect(names).toEqual(["before SIGTERM", "before SIGKILL"])
      expect(yield* stop(third, "SIGTERM"), third.server.output()).toBe(0)
      // Nothing but the lines of the log, and the migration only once.
      const log = [first, second, third].map(({ server }) => server.output())
      expect(log.map((text) => text.includes("Migration 0001_items.sql"))).toEqual([
        true,
        false,
        false
      ])
      for (const line of log.join("").trim().split("\n")) {
        expect(line, log.join("")).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO  /)
      }
    }).pipe(Effect.scoped)
  )
})
