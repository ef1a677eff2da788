/** Processes that share a Redis, and what they do while it is away. */
import { Agent } from "node:http"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ask } from "../../deploy/client.ts"
import { describeRedis, redisServer } from "../Redis/server.ts"
import { type Replica, startReplica } from "./process.ts"

const replica = (env: Record<string, string>) =>
  Effect.acquireRelease(
    Effect.promise(() => startReplica(env)),
    (process) => Effect.promise(() => process.stop())
  )

/** Sends requests to processes in turn, some at a time, until one says that it is enough. */
const load = async (
  replicas: ReadonlyArray<Replica>,
  path: string,
  isOver: (sent: number) => boolean
): Promise<Record<number, number>> => {
  const agent = new Agent({ keepAlive: true })
  const statuses: Record<number, number> = {}
  let sent = 0
  const caller = async () => {
    while (!isOver(sent)) {
      const { address } = replicas[sent++ % replicas.length]!
      const { status } = await ask(`http://${address}${path}`, { agent })
      statuses[status] = (statuses[status] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: 8 }, caller))
  agent.destroy()
  return statuses
}

/** A server that is only slow is not away. */
const patient = { FLANGE__RATE_LIMIT__TIMEOUT: "1m", FLANGE__REDIS__COMMAND_TIMEOUT: "1m" }

describeRedis("processes that share a Redis", () => {
  it.live(
    "allow exactly the limit together",
    () =>
      Effect.gen(function* () {
        const { url } = yield* redisServer()
        const env = { REDIS_URL: url, ...patient }
        const both = yield* Effect.all([replica(env), replica(env)], { concurrency: 2 })
        for (const path of ["/bucket", "/sliding"]) {
          expect(yield* Effect.promise(() => load(both, path, (sent) => sent >= 400))).toEqual({
            200: 100,
            429: 300
          })
        }
      }),
    120_000
  )

  for (const [onOutage, status] of [
    ["open", 200],
    ["closed", 503]
  ] as const) {
    it.live(
      `answer ${status} with onOutage = ${onOutage} while Redis is away, and decide again after it`,
      () =>
        Effect.gen(function* () {
          const server = yield* redisServer()
          const one = yield* replica({
            FLANGE__RATE_LIMIT__ON_OUTAGE: onOutage,
            REDIS_URL: server.url
          })
          const wide = () => ask(`http://${one.address}/wide`)
          const decides = async () => (await wide()).headers["ratelimit"] !== undefined
          const until = (wanted: boolean) =>
            Effect.promise(async () => {
              while ((await decides()) !== wanted) await new Promise((done) => setTimeout(done, 20))
            })
          let isOver = false
          const rest = Effect.gen(function* () {
            for (const [begin, end] of [
              [server.kill, server.start()],
              [server.freeze, server.thaw]
            ] as const) {
              yield* until(true)
              yield* begin
              yield* until(false)
              const reply = yield* Effect.promise(wide)
              expect(reply.status).toBe(status)
              expect(reply.headers["retry-after"]).toBe(status === 503 ? "1" : undefined)
              yield* end
            }
            yield* until(true)
            isOver = true
          })
          const [statuses] = yield* Effect.all(
            [Effect.promise(() => load([one], "/wide", () => isOver)), rest],
            { concurrency: "unbounded" }
          )
          const allowed = onOutage === "open" ? ["200"] : ["200", "503"]
          expect(Object.keys(statuses)).toEqual(allowed)
          expect(one.output()).toContain("The store of rate limits does not work")
          expect(one.output()).toContain("The store of rate limits decides again")
        }),
      120_000
    )
  }
})
