import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { App } from "flange"
import { TestApp } from "flange/Testing"
import { expect, it } from "vitest"
import { start } from "../../Server/process.ts"
import { kept, parentOf } from "../../tracing.ts"
import { onEach, postgres } from "../Database/backends.ts"
import { until } from "../Idempotency/conformance.ts"
import { plugins } from "./trace.ts"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const headers = {
  traceparent: `00-${traceId}-b7ad6b7169203331-01`,
  "x-request-id": "request-7"
}

const run = (test: Effect.Effect<void, unknown, Scope.Scope>) =>
  Effect.runPromise(Effect.scoped(test))

onEach([postgres], "a request that enqueues", () => {
  it(
    "has one trace and one request id with all attempts of its job",
    () =>
      run(
        Effect.gen(function* () {
          const url = yield* postgres.fresh
          const traced = kept()
          const app = yield* TestApp.listening(
            App.make("mail", [...plugins, traced.plugin], {
              config: { values: { database: { url }, queue: { pollInterval: "20 millis" } } }
            })
          )
          const reply = yield* Effect.promise(() =>
            fetch(`${app.url}/mails`, { headers, method: "POST" })
          )
          expect(reply.status).toBe(200)
          expect(reply.headers.get("x-request-id")).toBe("request-7")
          const jobs = () => traced.spans.filter(({ name }) => name === "queue mails process")
          yield* until(
            Effect.sync(() => jobs().filter(({ status }) => status._tag === "Ended").length === 3)
          )
          const enqueue = traced.named("queue mails enqueue")
          expect(enqueue.traceId).toBe(traceId)
          for (const job of jobs()) {
            expect(job.traceId).toBe(traceId)
            expect(parentOf(job)).toBe(enqueue.spanId)
          }
          const lines = app.logs.filter(({ message }) => /attempt \d/i.test(String(message)))
          // Three lines of the handler, and two of the failures.
          expect(lines.length).toBe(5)
          for (const { annotations } of lines) {
            expect(annotations).toMatchObject({ queue: "mails", requestId: "request-7" })
          }
        })
      ),
    60_000
  )

  it(
    "has one trace and one request id with its job in another process",
    () =>
      run(
        Effect.gen(function* () {
          const url = yield* postgres.fresh
          const env = { DATABASE_URL: url, FLANGE_ENV: "test" }
          const process = (role: string) =>
            Effect.acquireRelease(
              Effect.promise(() =>
                start("test/Layers/Queue/trace.ts", { ...env, FLANGE_ROLE: role })
              ),
              ({ child, exit }) =>
                Effect.promise(async () => {
                  child.kill("SIGTERM")
                  await exit
                })
            )
          const server = yield* process("server")
          const worker = yield* process("worker")
          yield* Effect.promise(() => fetch(`${server.url}/mails`, { headers, method: "POST" }))
          yield* until(Effect.sync(() => worker.output().includes("attempt 3 in trace")))
          const lines = worker
            .output()
            .split("\n")
            .filter((line) => /attempt \d in trace/.test(line))
          expect(lines).toHaveLength(3)
          for (const line of lines) expect(line).toContain(`in trace ${traceId}`)
          // Three lines of the handler, and two of the failures.
          const annotated = worker.output().match(/requestId\W+request-7/g)
          expect(annotated).toHaveLength(5)
          expect(server.output()).not.toContain("in trace")
        })
      ),
    60_000
  )
})
