/** Apps in memory, each with the requests that it is asked. */
import * as Effect from "effect/Effect"
import { App, Middleware, Plugin } from "flange"
import { Bare } from "../servers/effect/BarePlugin.ts"
import { Codecs } from "../servers/effect/CodecsPlugin.ts"
import * as MemoryTracer from "../servers/effect/MemoryTracer.ts"
import { endpoints } from "./Workload.ts"

export interface Case extends App.WebApp {
  readonly name: string
  /** The request with this number. */
  readonly requests: (i: number) => Request
  readonly status: number
}

const origin = "http://127.0.0.1"

const bare = Object.fromEntries(
  endpoints("bare").map(({ name, requests }) => [
    name,
    (i: number) => {
      const { body, headers, method, path } = requests[i % requests.length]!
      return new Request(`${origin}${path}`, { body: body ?? null, headers, method })
    }
  ])
)

/** Around the handler as a transaction stands: something begins, the handler runs, something ends. */
const Around = Plugin.make("bench:around", {
  middleware: [
    Middleware.aroundHandler("around", {
      build: Effect.succeed(
        () => (handler) =>
          Effect.uninterruptibleMask((restore) =>
            Effect.flatMap(Effect.void, () => Effect.tap(restore(handler), () => Effect.void))
          )
      )
    })
  ]
})

const inMemory = (name: string, app: App.Any, requests: Case["requests"]): Case => ({
  ...App.toWebHandler(app),
  name,
  requests,
  status: 200
})

const config = { config: { environment: "production" } } as const
const plain = App.make("bench", [Bare, Codecs], config)

export const cases: ReadonlyArray<Case> = [
  {
    dispose: () => Promise.resolve(),
    handler: () => Promise.resolve(Response.json({ message: "hello" })),
    name: "web alone",
    requests: bare["json"]!,
    status: 200
  },
  inMemory("json", plain, bare["json"]!),
  inMemory("user", plain, bare["user"]!),
  inMemory("echo", plain, bare["echo"]!),
  inMemory("typed header", plain, () => new Request(`${origin}/codecs/located`)),
  inMemory("around", App.make("bench", [Bare, Around], config), bare["json"]!),
  inMemory("traced", App.make("bench", [MemoryTracer.plugin(1), Bare], config), bare["json"]!)
]
