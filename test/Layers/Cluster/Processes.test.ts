import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import { start } from "../../Server/process.ts"
import { onEach, open, postgres } from "../Database/backends.ts"

const program = "test/Layers/Cluster/replica.ts"

onEach([postgres], "workflows in several processes", (backend) => {
  it(
    "end in another process after kill -9, and no ended activity runs again",
    () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const url = yield* backend.fresh
            const sql = yield* open(url)
            const prefix = `c${process.pid}_${Date.now() % 1e6}`
            const env = {
              CLUSTER_PREFIX: prefix,
              DATABASE_URL: url,
              DB_MAX_CONNECTIONS: "4",
              FLANGE_ENV: "test"
            }
            const names = Effect.map(
              sql<{ name: string; pid: number }>`select name, pid from steps`,
              (rows) => rows
            ).pipe(Effect.orElseSucceed(() => []))
            const killed = yield* Effect.promise(() =>
              start(program, { ...env, FLANGE_ROLE: "worker", STEP: "hang" })
            )
            const client = yield* Effect.promise(() =>
              start(program, { ...env, DB_MAX_CONNECTIONS: "1", FLANGE_ROLE: "server", START: "7" })
            )
            while ((yield* names).length < 2) yield* Effect.sleep(50)
            killed.child.kill("SIGKILL")
            const other = yield* Effect.promise(() =>
              start(program, { ...env, FLANGE_ROLE: "worker" })
            )
            while ((yield* names).length < 3) yield* Effect.sleep(50)
            expect((yield* names).map(({ name, pid }) => [name, pid])).toEqual([
              ["first", killed.child.pid],
              ["second", killed.child.pid],
              ["second", other.child.pid]
            ])
            for (const { child } of [other, client]) child.kill("SIGTERM")
            expect(yield* Effect.promise(() => Promise.all([other.exit, client.exit]))).toEqual([
              0, 0
            ])
          })
        )
      ),
    120_000
  )

  it(
    "go on in another process at SIGTERM",
    () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const url = yield* backend.fresh
            const sql = yield* open(url)
            const env = {
              CLUSTER_PREFIX: `c${process.pid}_${Date.now() % 1e6}`,
              DATABASE_URL: url,
              DB_MAX_CONNECTIONS: "4",
              FLANGE_ENV: "test"
            }
            const one = (more: Readonly<Record<string, string>>) =>
              Effect.acquireRelease(
                Effect.promise(() => start(program, { ...env, ...more })),
                ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
              )
            const steps = Effect.orElseSucceed(
              sql<{ name: string; pid: number }>`select name, pid from steps`,
              () => []
            )
            const leaving = yield* one({ FLANGE_ROLE: "worker", STEP: "hang" })
            yield* one({ DB_MAX_CONNECTIONS: "1", FLANGE_ROLE: "server", START: "7" })
            while ((yield* steps).length < 2) yield* Effect.sleep(50)
            const other = yield* one({ FLANGE_ROLE: "worker" })
            const at = Date.now()
            leaving.child.kill("SIGTERM")
            while ((yield* steps).length < 3) yield* Effect.sleep(20)
            const handOver = Date.now() - at
            expect(yield* Effect.promise(() => leaving.exit)).toBe(0)
            console.log(
              JSON.stringify({
                exitAfterSigtermMs: Date.now() - at,
                handOverOfActivityMs: handOver
              })
            )
            expect((yield* steps).map(({ name, pid }) => [name, pid])).toEqual([
              ["first", leaving.child.pid],
              ["second", leaving.child.pid],
              ["second", other.child.pid]
            ])
          })
        )
      ),
    120_000
  )
})
