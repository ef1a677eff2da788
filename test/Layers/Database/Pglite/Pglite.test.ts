import { existsSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { open } from "../backends.ts"
import { fixture } from "./fixture.ts"

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flange-pglite-"))
})
afterEach(() => rm(folder, { force: true, recursive: true }))

describe("a data directory", () => {
  const start = () =>
    fixture("visits.ts", [], {
      env: {
        DATABASE_URL: `pglite://${join(folder, "deep/data")}`,
        HOST: "127.0.0.1",
        PORT: "0"
      }
    })

  it("keeps what was written before SIGTERM, and before SIGKILL", async () => {
    const first = start()
    expect(await first.said(/visits=\d+/)).toBe("visits=1")
    first.child.kill("SIGTERM")
    expect((await first.exited)[0], first.output()).toBe(0)

    const second = start()
    expect(await second.said(/visits=\d+/)).toBe("visits=2")
    second.child.kill("SIGKILL")
    await second.exited

    const third = start()
    expect(await third.said(/visits=\d+/)).toBe("visits=3")
    third.child.kill("SIGTERM")
    expect((await third.exited)[0], third.output()).toBe(0)
  })

  it("is refused to a second process, which is told who has it", async () => {
    const first = start()
    await first.said(/visits=1/)
    const second = start()
    const [code] = await second.exited
    expect(code).toBe(1)
    expect(second.output()).toContain(`process ${first.child.pid} has it open`)
    first.child.kill("SIGTERM")
    expect((await first.exited)[0], first.output()).toBe(0)
  })

  const within = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) =>
    Effect.runPromise(Effect.scoped(effect))

  it("is refused a second time in one process", async () => {
    const url = `pglite://${join(folder, "data")}`
    const error = await within(Effect.flip(Effect.andThen(open(url), open(url))))
    expect(error).toMatchObject({ _tag: "DataDirectoryError", pid: process.pid })
    expect(existsSync(join(folder, "data.lock"))).toBe(false)
    await within(open(url))
  })

  const stale: ReadonlyArray<[string, object | string]> = [
    ["a process that is gone", { host: hostname(), pid: 2 ** 30 }],
    ["an earlier process with the same number", { host: hostname(), pid: 1, started: "0" }],
    ["another machine", { host: "elsewhere.invalid", pid: 1 }],
    ["nobody, since it is damaged", "{"]
  ]
  for (const [name, owner] of stale) {
    it(`is taken over from ${name}`, async () => {
      const text = typeof owner === "string" ? owner : JSON.stringify(owner)
      await writeFile(join(folder, "data.lock"), text)
      const rows = await within(
        Effect.flatMap(open(`pglite://${join(folder, "data")}`), (sql) => sql`select 1 as one`)
      )
      expect(rows).toEqual([{ one: 1 }])
    })
  }

  it("that cannot be made is a typed error", async () => {
    await writeFile(join(folder, "file"), "")
    const error = await within(Effect.flip(open(`pglite://${join(folder, "file/data")}`)))
    expect(error._tag).toBe("DataDirectoryError")
    expect(error.message).toContain(join(folder, "file/data"))
  })
})

describe("the only session", () => {
  const withClient = <A, E>(
    test: (sql: Effect.Success<ReturnType<typeof open>>) => Effect.Effect<A, E, Scope.Scope>
  ) => Effect.runPromise(Effect.scoped(Effect.flatMap(open("pglite://memory"), test)))

  it("forgets what an interrupted statement left, before the next one", () =>
    withClient((sql) =>
      Effect.gen(function* () {
        yield* sql`create table rows (n integer)`
        const inserted = yield* Deferred.make<void>()
        const fiber = yield* Effect.forkChild(
          sql.withTransaction(
            Effect.gen(function* () {
              yield* sql`insert into rows values (1)`
              yield* Deferred.succeed(inserted, undefined)
              yield* Effect.forever(sql`select count(*) from generate_series(1, 1000)`)
            })
          )
        )
        yield* Deferred.await(inserted)
        yield* Fiber.interrupt(fiber)
        expect(yield* sql`select * from rows`).toEqual([])
        yield* sql.withTransaction(sql`insert into rows values (2)`)
        expect(yield* sql`select * from rows`).toEqual([{ n: 2 }])
      })
    ))

  it("is of a driver that others can tell from PostgreSQL", () =>
    withClient((sql) => Effect.sync(() => expect(sql.driver).toBe("pglite"))))
})
