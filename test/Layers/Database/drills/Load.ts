/** Clients that send one request after another, and count what they get. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { TestApp } from "flange/Testing"

type App = Pick<TestApp.TestApp<never, never>, "post">

export interface Reply {
  readonly code: unknown
  readonly retryAfter: string | undefined
  readonly status: number
}

/** One request, as the load sees it. */
export const ask = (app: App): Effect.Effect<Reply, unknown> =>
  Effect.map(app.post("/write"), (reply) => ({
    code: reply.status === 200 ? undefined : (JSON.parse(reply.text) as { code: unknown }).code,
    retryAfter: reply.headers.get("retry-after") ?? undefined,
    status: reply.status
  }))

export const isClean = ({ code, retryAfter, status }: Reply): boolean =>
  status === 200 || (status === 503 && code === "SERVICE_UNAVAILABLE" && retryAfter === "1")

/** Starts the clients; `replies` grows. */
export const start = (app: App, clients: number) =>
  Effect.gen(function* () {
    const replies: Array<Reply> = []
    let stopped = false
    const client = Effect.whileLoop({
      body: () => ask(app),
      step: (reply) => void replies.push(reply),
      while: () => !stopped
    })
    const fibers = yield* Effect.forEach(Array.from({ length: clients }), () =>
      Effect.forkChild(client)
    )
    return {
      replies,
      stop: Effect.andThen(
        Effect.sync(() => {
          stopped = true
        }),
        Effect.forEach(fibers, Fiber.join, { discard: true })
      ),
      /** Waits for so many further replies that meet the condition. */
      until: (count: number, condition: (reply: Reply) => boolean) => {
        const from = replies.length
        return Effect.repeat(Effect.sleep("5 millis"), {
          until: () => replies.slice(from).filter(condition).length >= count
        })
      }
    }
  })
