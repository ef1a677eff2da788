import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { App, Plugin } from "flange"
import * as Admin from "flange/Admin"
import * as Database from "flange/Database"
import * as Queue from "flange/Queue"
import { TestApp } from "flange/Testing"
import { describe, expect, it } from "vitest"
import { project, run } from "../../Cli/project.ts"
import * as backends from "../Database/backends.ts"
import { until } from "../Idempotency/conformance.ts"

const Job = Schema.Struct({ password: Schema.String, what: Schema.String })
const Jobs = Queue.make("jobs", { maxAttempts: 1, payload: Job })

/** A running app whose worker fails while `broken.is`. */
interface Rig {
  readonly add: (items: Parameters<typeof Jobs.enqueueAll>[0]) => Effect.Effect<unknown, unknown>
  readonly broken: { is: boolean }
  readonly port: ReturnType<TestApp.TestApp<never, never>["port"]>
}

const suite = (backend: "database" | "memory") => {
  const check = (title: string, test: (rig: Rig) => Effect.Effect<void, unknown>) =>
    it(
      title,
      () =>
        Effect.runPromise(
          Effect.scoped(
            Effect.gen(function* () {
              const broken = { is: true }
              const Work = Plugin.make("app:work", {
                contributes: [
                  Jobs.worker(({ what }) =>
                    broken.is ? Effect.fail(`no ${what}: token=abcdefghijkl`) : Effect.void
                  )
                ],
                requires: [Queue.Queues]
              })
              const queue = { pollInterval: "20 millis" }
              const app =
                backend === "memory"
                  ? yield* TestApp.make(
                      App.make("shop", [Queue.plugin, Work, Admin.plugin], {
                        config: { values: { queue } }
                      })
                    )
                  : yield* TestApp.make(
                      App.make("shop", [Database.plugin, Queue.withDatabase, Work, Admin.plugin], {
                        config: {
                          values: { database: { url: yield* backends.postgres.fresh }, queue }
                        }
                      })
                    )
              yield* test({
                add: (items) => app.run(Jobs.enqueueAll(items)),
                broken,
                port: app.port("admin")
              })
            })
          )
        ),
      60_000
    )

  const fill = ({ add, port }: Rig, count: number) =>
    Effect.gen(function* () {
      const all = Array.from({ length: count }, (_, i) => ({
        id: `i${i}`,
        payload: { password: "hunter2", what: `w${i}` }
      }))
      yield* add(all)
      yield* until(Effect.map(port.get("/queues"), ({ text }) => text.includes(`"dead":${count}`)))
    })

  check("lists dead letters by parts with their cause, and shows no payload and no secret", (rig) =>
    Effect.gen(function* () {
      const { port } = rig
      yield* fill(rig, 3)
      const first = (yield* port.get("/queues/items?queue=jobs&limit=2")).expectStatus(200)
      expect(first.text).not.toMatch(/hunter2|abcdefghijkl|payload/)
      const part = JSON.parse(first.text) as {
        items: Array<{ failure: { kind: string; message: string }; id: string }>
        next: string
      }
      expect(part.items.map(({ id }) => id)).toEqual(["i0", "i1"])
      expect(part.items[0]!.failure.kind).toBe("failure")
      expect(part.items[0]!.failure.message).toContain("no w0")
      const rest = yield* port.get(`/queues/items?queue=jobs&limit=2&after=${part.next}`)
      expect(JSON.parse(rest.text)).toMatchObject({ items: [{ id: "i2" }], next: null })
    })
  )

  check("shows the payload of one item without the fields that the log hides", (rig) =>
    Effect.gen(function* () {
      yield* fill(rig, 1)
      const { text } = (yield* rig.port.get("/queues/item?queue=jobs&id=i0")).expectStatus(200)
      const { payload } = JSON.parse(text) as { payload: string }
      expect(payload).toContain('"what":"w0"')
      expect(payload).toContain("<redacted>")
      expect(text).not.toContain("hunter2")
    })
  )

  check("requeues one or all dead letters, removes, pauses and resumes", (rig) =>
    Effect.gen(function* () {
      const { broken, port } = rig
      yield* fill(rig, 4)
      broken.is = false
      const post = (path: string, json: object) =>
        Effect.map(port.post(`/queues/${path}`, { json }), (reply) =>
          JSON.parse(reply.expectStatus(200).text)
        )
      expect(yield* post("pause", { queue: "jobs" })).toEqual({ paused: true, queue: "jobs" })
      expect(yield* post("remove", { ids: ["i3", "unknown"], queue: "jobs" })).toEqual({
        removed: 1
      })
      expect(yield* post("requeue", { ids: ["i0"], queue: "jobs" })).toEqual({ requeued: 1 })
      expect(yield* post("requeue", { ids: "dead", queue: "jobs" })).toEqual({ requeued: 2 })
      const stats = JSON.parse((yield* port.get("/queues")).text) as unknown
      expect(stats).toMatchObject([{ dead: 0, name: "jobs", paused: true, waiting: 3 }])
      yield* post("resume", { queue: "jobs" })
      yield* until(Effect.map(port.get("/queues"), ({ text }) => text.includes('"completed":3')))
    })
  )

  check("ids that no item can have are unknown ids, and change nothing", (rig) =>
    Effect.gen(function* () {
      const { port } = rig
      yield* fill(rig, 1)
      for (const id of ["%00", "a%00b", "%F0%9F%98%80", "__proto__", "x".repeat(2000)]) {
        const reply = yield* port.get(`/queues/item?queue=jobs&id=${id}`)
        expect([id.slice(0, 20), reply.status]).toEqual([id.slice(0, 20), 400])
      }
      for (const path of ["/queues/requeue", "/queues/remove"] as const) {
        const ids = ["\0", "a\0b", "\ud800", "__proto__", ""]
        const { text } = (yield* port.post(path, { json: { ids, queue: "jobs" } })).expectStatus(
          200
        )
        expect(Object.values(JSON.parse(text) as object)).toEqual([0])
      }
      for (const queue of ["\0", "", "nowhere", "x".repeat(5000)]) {
        const reply = yield* port.post("/queues/pause", { json: { queue } })
        expect(reply.status).toBe(400)
        expect(reply.text.length).toBeLessThan(2000)
      }
      const { text } = yield* port.get("/queues")
      expect(text).toContain('"dead":1')
      expect(text).not.toContain("nowhere")
    })
  )

  check("answers with 400 to an unknown queue, which it names, and to bad input", ({ port }) =>
    Effect.gen(function* () {
      const unknown = (yield* port.post("/queues/pause", { json: { queue: "jbos" } })).expectStatus(
        400
      )
      expect(unknown.text).toContain("jbos")
      expect(unknown.text).toContain("jobs")
      for (const search of [
        "queue=jobs&limit=0",
        "queue=jobs&limit=201",
        "queue=jobs&after=x",
        "limit=1",
        "queue=jobs&state=lost"
      ]) {
        ;(yield* port.get(`/queues/items?${search}`)).expectStatus(400)
      }
      ;(yield* port.get("/queues/item?queue=jobs&id=unknown")).expectStatus(400)
      ;(yield* port.post("/queues/requeue", { json: { ids: [], queue: "jobs" } })).expectStatus(400)
      ;(yield* port.post("/queues/remove", { json: { ids: "dead", queue: "jobs" } })).expectStatus(
        400
      )
    })
  )
}

describe("queues on the admin port, memory", () => suite("memory"))
backends.onEach([backends.postgres], "queues on the admin port", () => suite("database"))

backends.onEach([backends.postgres], "flange queues", () => {
  it(
    "lists, requeues and pauses the queues of the database of the app",
    () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const url = yield* backends.postgres.fresh
            const root = join(import.meta.dirname, "../../..")
            const folder = yield* Effect.promise(() =>
              project(
                {
                  "app.ts": `
                    import * as Effect from "effect/Effect"
                    import * as Schema from "effect/Schema"
                    import { App, Plugin } from "flange"
                    import * as Database from "flange/Database"
                    import * as Queue from "flange/Queue"
                    const Jobs = Queue.make("jobs", { payload: Schema.String })
                    const Work = Plugin.make("app:work", {
                      contributes: [Jobs.worker(() => Effect.void)],
                      requires: [Queue.Queues]
                    })
                    export const app = App.make("shop", [Database.plugin, Queue.withDatabase, Work])`
                },
                ["effect", "flange"]
              )
            )
            const queues = (...args: ReadonlyArray<string>) =>
              Effect.promise(() =>
                run(
                  ["--conditions=flange-source", join(root, "src/Cli/main.ts"), "queues", ...args],
                  { cwd: folder, env: { DATABASE_URL: url, FLANGE_ENV: "production" } }
                )
              )
            expect(yield* queues("pause", "jobs")).toMatchObject({
              code: 0,
              stdout: 'The queue "jobs" is paused in all processes.\n'
            })
            const listed = yield* queues("list", "--json")
            expect(JSON.parse(listed.stdout)).toMatchObject([{ name: "jobs", paused: true }])
            expect(yield* queues("requeue", "jobs", "--all-dead")).toMatchObject({
              code: 0,
              stdout: "Dead letters that wait again: 0.\n"
            })
            expect(yield* queues("show", "jobs", "i0")).toMatchObject({
              code: 2,
              stderr: expect.stringContaining('The queue "jobs" has no item "i0"')
            })
            for (const [command, done] of [
              ["remove", "were removed"],
              ["requeue", "wait again"]
            ] as const) {
              expect(yield* queues(command, "jobs", "i0", "i1", "i0")).toMatchObject({
                code: 1,
                stderr: expect.stringContaining(
                  `0 of 2 items ${done}. The queue does not have the others`
                )
              })
            }
            const unknown = yield* queues("items", "jbos")
            expect([unknown.code, unknown.stderr]).toEqual([
              2,
              expect.stringContaining('There is no queue "jbos". Write one of "jobs".')
            ])
          })
        )
      ),
    120_000
  )
})
