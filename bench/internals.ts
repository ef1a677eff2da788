/**
 * What the parts of `src/Server/EffectInternals.ts` save, each against the same without it.
 * Run: node --conditions=flange-source bench/internals.ts        Options: --rounds
 */
import { parseArgs } from "node:util"
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { groupHandlers, lazyContext, unlistedAround } from "../src/Server/EffectInternals.ts"
import * as RequestFields from "../src/Server/Exchange/RequestFields.ts"
import { Services, type ServicesOwner } from "../src/Server/Exchange/Services.ts"
import * as WireRequest from "../src/Server/Exchange/WireRequest.ts"
import { median } from "./lib/Statistics.ts"
import { table } from "./lib/Table.ts"

const { values } = parseArgs({ options: { rounds: { default: "9", type: "string" } } })
const rounds = Number(values.rounds)
if (!(rounds >= 1)) throw new Error(`--rounds ${values.rounds}: write a whole number above 0`)

/** An app of sixty services. */
const app = Context.makeUnsafe<unknown>(
  new Map(Array.from({ length: 60 }, (_, i) => [`bench/${i}`, i]))
)

const request = () =>
  WireRequest.make({
    headers: [["host", "a"]],
    method: "GET",
    read: () => {},
    remoteAddress: undefined,
    target: "/"
  })

/** A request whose services are made when they are read, as an exchange's are. */
const served = (): ServicesOwner => ({
  deadline: undefined,
  get fields() {
    return RequestFields.make()
  },
  params: {},
  parentSpan: undefined,
  plan: { maxBodySize: ByteSize.fromInputUnsafe(1), route: {} },
  get request() {
    return request()
  },
  requestId: "r",
  get scope() {
    return Scope.makeUnsafe()
  },
  searchParams: {},
  state: {},
  timeSpent: undefined
})

/** A request in an app with a tracer. */
const traced = (): ServicesOwner => Object.assign(served(), { parentSpan: span })

const span = Tracer.externalSpan({ spanId: "b", traceId: "a" })

const Seventh = Context.Service<number>("bench/7")

/** A handler that looks one service of the app up, in a fiber. */
const handler = Effect.map(Effect.service(Seventh), (found) => found + 1)

const run = (
  context: Context.Context<unknown>,
  effect: Effect.Effect<unknown, unknown, number> = handler
) => Effect.runForkWith(context)(effect)

/** As a transaction of Effect provides its connection. */
const provide = Effect.provideContext(
  Context.makeUnsafe<never>(
    new Map(Array.from({ length: 4 }, (_, i) => [`bench/provided/${i}`, i]))
  )
)

const eager = () => {
  const services = new Services(served(), app)
  let context = app
  for (const [key, service] of services) {
    if (!key.startsWith("bench/")) context = Context.addUnsafe(context, key, service)
  }
  return context
}

const endpoints = Array.from({ length: 1000 }, (_, i) =>
  HttpApiEndpoint.post(`e${i}`, `/e${i}`, {
    payload: Schema.Struct({ [`f${i}`]: Schema.Int }),
    success: Schema.Struct({ [`f${i}`]: Schema.Int })
  })
)
const group = endpoints.reduce<HttpApiGroup.Top>(
  (group, endpoint) => group.add(endpoint as never) as never,
  HttpApiGroup.make("g") as never
)
const handleAll = (handlers: unknown) =>
  (handlers as { readonly handleAll: (all: object) => unknown }).handleAll(
    Object.fromEntries(endpoints.map(({ identifier }) => [identifier, () => Effect.void]))
  )

/** Each part with it and without it, and how often one measurement repeats it. */
const cases: ReadonlyArray<readonly [name: string, times: number, () => unknown, () => unknown]> = [
  [
    "lazyContext: one request, one fiber",
    20_000,
    () => run(new Services(served(), app).context),
    () => run(eager())
  ],
  [
    "shareCache: one fiber",
    20_000,
    () => run(new Services(served(), app).context),
    () => run(lazyContext(new Services(served(), app)))
  ],
  [
    "shareCacheBut: one fiber in a trace",
    20_000,
    () => run(new Services(traced(), app).context),
    () => run(lazyContext(new Services(traced(), app)))
  ],
  [
    "unlistedAround: services are provided to a request's handler",
    20_000,
    () => run(new Services(served(), app).context, unlistedAround(handler, provide)),
    () => run(new Services(served(), app).context, provide(handler))
  ],
  [
    "groupHandlers: a group of 1 000 endpoints at start",
    1,
    () => Effect.runSync(Effect.scoped(groupHandlers(group, handleAll, () => undefined) as never)),
    () =>
      Effect.runSync(
        Effect.scoped(
          Layer.build(
            HttpApiBuilder.group(HttpApi.make("a").add(group), "g" as never, handleAll as never)
          ) as never
        )
      )
  ]
]

/** Microseconds of CPU time of one call. */
const measure = (times: number, call: () => unknown): number => {
  const start = process.cpuUsage()
  for (let i = 0; i < times; i++) call()
  const { system, user } = process.cpuUsage(start)
  return (system + user) / times
}

const rows = cases.map(([name, times, used, without]) => {
  const pairs = Array.from(
    { length: rounds + 1 },
    () => [measure(times, used), measure(times, without)] as const
  ).slice(1)
  return [
    name,
    median(pairs.map(([a]) => a)).toFixed(2),
    median(pairs.map(([, b]) => b)).toFixed(2),
    median(pairs.map(([a, b]) => b / a)).toFixed(2)
  ]
})
console.log(table(["part", "with, us", "without, us", "without / with"], rows))
