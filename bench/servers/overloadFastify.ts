// The handler of `overload.ts` on Fastify, behind `@fastify/under-pressure` or without it.
import underPressure from "@fastify/under-pressure"
import fastify from "fastify"
import { host, port, ready } from "./support/Arguments.ts"
import { steps, work } from "./support/Work.ts"

const app = fastify()

if (process.env["BENCH_GUARD"] === "on") {
  // All limits of the plugin are off by default. It compares the mean delay of the event loop with the
  // limit at each interval; two and a half handlers are the delay that the accepted requests may have.
  await app.register(underPressure, {
    maxEventLoopDelay: 5,
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
