// The handler of `overload.ts` on Fastify, behind `@fastify/under-pressure` or without it.
import underPressure from "@fastify/under-pressure"
import fastify from "fastify"
import { host, port, ready } from "./support/Arguments.ts"
import { steps, work } from "./support/Work.ts"

const app = fastify()

if (process.env["BENCH_GUARD"] === "on") {
  // The plugin refuses by the delay of the event loop, which it measures at this interval. These are the
  // values with which the plugin kept the latency lowest here; by its defaults it refuses nothing.
  await app.register(underPressure, {
    maxEventLoopDelay: 15,
    maxEventLoopUtilization: 0.98,
    retryAfter: 1,
    sampleInterval: 100
  })
}

app.get(
  "/work",
  {
    schema: {
      response: { 200: { properties: { result: { type: "number" } }, type: "object" } }
    }
  },
  () => ({ result: work(steps) })
)

await app.listen({ host, port })
ready()
