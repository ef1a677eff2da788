/**
 * Measures the endpoints in memory: the time of a request through the whole app, without a socket.
 *
 * Run: npm run example examples/bench-api/measure.ts [requests of a round]
 */
import { App } from "flange"
import { app } from "./app.ts"

const requests = Number(process.argv[2] ?? 20_000)

const echo = {
  body: JSON.stringify({ count: 1, message: "hello" }),
  headers: { "content-type": "application/json" },
  method: "POST"
}

const endpoints: Readonly<Record<string, () => Request>> = {
  echo: () => new Request("http://localhost/bench/echo", echo),
  json: () => new Request("http://localhost/bench/json"),
  noop: () => new Request("http://localhost/bench/noop")
}

// The access line of each request would be most of the output.
process.env["FLANGE__LOGGING__LEVEL"] ??= "warn"
const { dispose, handler } = App.toWebHandler(app)

/** Returns the microseconds of a request, its reply read whole. */
const round = async (make: () => Request) => {
  const start = performance.now()
  for (let i = 0; i < requests; i++) {
    const reply = await handler(make())
    if (!reply.ok) throw new Error(`${reply.url} answered ${reply.status}`)
    await reply.arrayBuffer()
  }
  return ((performance.now() - start) * 1000) / requests
}

for (const [name, make] of Object.entries(endpoints)) {
  // The first rounds are those in which the code is compiled.
  const rounds = []
  for (let i = 0; i < 5; i++) rounds.push(await round(make))
  console.log(`${name}  ${Math.min(...rounds).toFixed(1)} µs`)
}

await dispose()
