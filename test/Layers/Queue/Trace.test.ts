import { connect } from "node:net"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { App, Plugin, Route } from "flange"
import * as Queue from "flange/Queue"
import { WebSockets, webSockets } from "flange/Realtime"
import { Channel } from "flange/Realtime/Contract"
import { TestApp } from "flange/Testing"
import { expect, it } from "vitest"
import { Client } from "../../Server/Listener/Proxied/rig.ts"
import { start } from "../../Server/process.ts"
import { kept, parentOf } from "../../tracing.ts"
import { onEach, postgres } from "../Database/backends.ts"
import { until } from "../Idempotency/conformance.ts"
import { frame, handshake } from "../Realtime/WebSocketRig.ts"
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
    "has the trace of its caller and one request id with its job in an app without a tracer",
    () =>
      run(
        Effect.gen(function* () {
          const url = yield* postgres.fresh
          const app = yield* TestApp.listening(
            App.make("mail", plugins, {
              config: { values: { database: { url }, queue: { pollInterval: "20 millis" } } }
            })
          )
          yield* Effect.promise(() => fetch(`${app.url}/mails`, { headers, method: "POST" }))
          const lines = () =>
            app.logs.filter(({ message }) => /attempt \d in trace/.test(String(message)))
          yield* until(Effect.sync(() => lines().length === 3))
          for (const { annotations, message } of lines()) {
            expect(message).toContain(`in trace ${traceId}`)
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

it("a channel of an app without a tracer enqueues items that have no trace", () =>
  run(
    Effect.gen(function* () {
      const handled = yield* Deferred.make<readonly [text: string, traceId: string | undefined]>()
      const Said = Queue.make("said", { payload: Schema.String })
      const Chat = Channel.make(HttpApiEndpoint.get("chat", "/chat"), {
        receive: Schema.String,
        send: Schema.String
      })
      class ChatApi extends HttpApiGroup.make("chat").add(Chat.endpoint) {}
      const plugin = Plugin.make("app:chat", {
        contributes: [
          Said.worker((text) =>
            Effect.currentParentSpan.pipe(
              Effect.option,
              Effect.flatMap((span) =>
                Deferred.succeed(handled, [text, Option.getOrUndefined(span)?.traceId])
              )
            )
          )
        ],
        requires: [Queue.Queues, WebSockets],
        routes: [
          Route.public(
            ChatApi,
            Effect.fn(function* (handlers) {
              const queues = yield* Queue.Queues
              const served = (yield* WebSockets).channel(Chat)
              return handlers.handleAll({
                chat: () =>
                  served.upgrade((connection) =>
                    connection.forEach((text) =>
                      Said.enqueue(text).pipe(
                        Effect.provideService(Queue.Queues, queues),
                        Effect.orDie
                      )
                    )
                  )
              })
            })
          )
        ]
      })
      const { url } = yield* TestApp.listening(
        App.make("chat", [Queue.plugin, webSockets, plugin]),
        { config: { values: { server: { listener: "node" } } } }
      )
      const { hostname, port } = new URL(url)
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new Client(connect(Number(port), hostname))),
        ({ socket }) => Effect.sync(() => socket.destroy())
      )
      client.send(handshake("/chat", `traceparent: ${headers.traceparent}`))
      yield* Effect.promise(() => client.until((text) => text.includes("\r\n\r\n")))
      client.send(frame(JSON.stringify("hello")))
      expect(yield* Deferred.await(handled)).toEqual(["hello", undefined])
    })
  ))
