// Replaces replicas while clients follow the events: TEST_STREAMS is how many, 100 if it is not set.
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpApi from "effect/http-api/HttpApi"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Stream from "effect/Stream"
import { Client } from "flange/Contract"
import { follow } from "flange/Realtime/Contract"
import { expect, it } from "vitest"
import { type Running, start } from "../../Server/process.ts"
import { mysql, onEach, postgres } from "../Database/backends.ts"
import { describeRedis, redisServer } from "../Redis/server.ts"
import { OrdersApi } from "./orders.ts"

const streams = Number(process.env["TEST_STREAMS"] ?? 100)

/** How many times the replica is replaced. */
const restarts = 2

const program = "test/Layers/Realtime/rolling.ts"

const api = HttpApi.make("shop").add(OrdersApi)

const replica = (env: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.promise(() => start(program, { FLANGE_ENV: "test", ...env })),
    ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
  )

const stopped = ({ child, exit, output }: Running) =>
  Effect.promise(async () => {
    child.kill("SIGTERM")
    expect(await exit, output()).toBe(0)
  })

/** Follows events through restarts, and returns what each client has got. */
const rolled = (env: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    let current = yield* replica(env)
    const clients = new Map<string, Effect.Effect<Client.Client<typeof OrdersApi>>>()
    const client = Effect.suspend(() => {
      const { url } = current
      let made = clients.get(url)
      if (made === undefined) {
        made = Effect.runSync(
          Effect.cached(
            Client.make(api, { baseUrl: url }).pipe(Effect.provide(FetchHttpClient.layer))
          )
        )
        clients.set(url, made)
      }
      return made
    })
    const params = { customer: "ada" }

    let appended = 0
    let isDone = false
    let last: number | undefined
    const append = Effect.gen(function* () {
      const { orders } = yield* client
      yield* orders.place({ params, payload: { id: appended + 1 } })
      appended++
    })
    yield* append

    const got = Array.from({ length: streams }, () => [] as Array<number>)
    const fibers = yield* Effect.forEach(got, (numbers) =>
      follow(
        (request) => Effect.flatMap(client, ({ orders }) => orders.events({ ...request, params })),
        { lastEventId: "0-0", maxDelay: "200 millis" }
      ).pipe(
        Stream.takeUntil(({ data }) => {
          numbers.push("id" in data ? data.id : -1)
          return last !== undefined && numbers.at(-1) === last
        }),
        Stream.runDrain,
        Effect.forkScoped
      )
    )
    const all = (condition: (numbers: ReadonlyArray<number>) => boolean) =>
      Effect.gen(function* () {
        while (!got.every(condition)) yield* Effect.sleep(5)
      })
    yield* all((numbers) => numbers.length > 0)
    const writing = yield* Effect.forkScoped(
      Effect.gen(function* () {
        for (;;) {
          if (isDone) return
          // A request to the replica that stops may be refused. It has not appended then.
          yield* Effect.retry(append, { times: 100 })
          yield* Effect.sleep(Duration.millis(20))
        }
      })
    )
    for (let i = 0; i < restarts; i++) {
      const before = appended
      yield* all((numbers) => numbers.length > before / 2)
      const old = current
      current = yield* replica(env)
      yield* stopped(old)
    }
    const before = appended
    yield* all((numbers) => numbers.length > before)
    isDone = true
    yield* Fiber.join(writing)
    // The last event ends the clients.
    last = appended + 1
    yield* append
    yield* Effect.forEach(fibers, Fiber.join)
    yield* stopped(current)
    return { appended, got }
  })

const expectAll = async (env: Effect.Effect<Readonly<Record<string, string>>, unknown, never>) => {
  const { appended, got } = await Effect.runPromise(
    Effect.scoped(Effect.flatMap(env, rolled)) as Effect.Effect<
      Effect.Success<ReturnType<typeof rolled>>
    >
  )
  const numbers = Array.from({ length: appended }, (_, i) => i + 1)
  for (const one of got) expect(one).toEqual(numbers)
}

onEach([postgres, mysql], "a rolling restart with events", (backend) => {
  it(`loses no event of ${streams} streams, and repeats none`, async () => {
    await Effect.runPromise(
      Effect.scoped(
        Effect.flatMap(backend.fresh, (url) =>
          Effect.promise(() => expectAll(Effect.succeed({ DATABASE_URL: url })))
        )
      )
    )
  }, 240_000)
})

describeRedis("a rolling restart with events in Redis", () => {
  it(`loses no event of ${streams} streams, and repeats none`, async () => {
    await Effect.runPromise(
      Effect.scoped(
        Effect.flatMap(redisServer(), ({ url }) =>
          Effect.promise(() => expectAll(Effect.succeed({ REDIS_URL: url })))
        )
      )
    )
  }, 240_000)
})
