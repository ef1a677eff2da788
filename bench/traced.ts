/**
 * What tracing costs: GET /users/:id with a tracer that samples 10% and all of the requests into
 * memory, as a ratio to the same server without a tracer.
 * Run: node bench/traced.ts        Options: --rounds --seconds --client --quick
 */
import * as Options from "./lib/Options.ts"
import * as Paired from "./lib/Paired.ts"
import type { Peer } from "./lib/Peers.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import { endpoints } from "./lib/Workload.ts"

const options = Options.parse({ quick: { rounds: 2, seconds: 1 }, rounds: 5, seconds: 3 })
const noise = new Report.Noise()
const endpoint = endpoints("bare").find(({ name }) => name === "user")!

const variants: ReadonlyArray<readonly [name: string, environment: Record<string, string>]> = [
  ["untraced", {}],
  ["10% traced", { TRACE_RATIO: "0.1" }],
  ["all traced", { TRACE_RATIO: "1" }]
]

const results: Record<string, ReadonlyArray<Paired.Result>> = {}
for (const listener of ["node", "proxied"]) {
  const candidates: Array<Paired.Candidate> = []
  try {
    for (const [name, environment] of variants) {
      const peer: Peer = {
        arguments: ["--listener", listener],
        name: `${listener}, ${name}`,
        optional: false,
        script: "traced",
        title: name
      }
      const server = await Server.start(peer, { environment, tier: "bare", until: "/users/1" })
      candidates.push({ endpoint, name, server })
    }
    results[listener] = await Paired.measure(candidates, options, noise)
  } finally {
    await Promise.all(candidates.map(({ server }) => server.stop()))
  }
}

Paired.print("GET /users/:id, ratio to untraced", results)
const circumstances = Report.circumstances(options, noise)
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("traced", options)}.json`, { circumstances, results })
