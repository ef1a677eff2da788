/**
 * What a reply from the cache costs: GET of a page of 20 products, as a ratio to Fastify with
 * `@fastify/caching` and `@fastify/etag`, to the same page without the cache, and to a fixed text
 * with the headers of a hit on the same listener.
 * Run: node bench/cache.ts        Options: --rounds --seconds --client --quick
 */
import * as Options from "./lib/Options.ts"
import * as Paired from "./lib/Paired.ts"
import type { Peer } from "./lib/Peers.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import type { Endpoint } from "./lib/Workload.ts"

const options = Options.parse({ quick: { rounds: 2, seconds: 1 }, rounds: 5, seconds: 3 })
const noise = new Report.Noise()

const endpoint = (name: string): Endpoint => ({
  name,
  requests: [{ headers: {}, method: "GET", path: `/${name}` }]
})

const peerOf = (name: string, script: string, parameters: ReadonlyArray<string>): Peer => ({
  arguments: parameters,
  name,
  optional: false,
  script,
  title: name
})

const start = (peer: Peer) => Server.start(peer, { tier: "bare", until: "/cached" })

const results: Record<string, ReadonlyArray<Paired.Result>> = {}
for (const listener of ["node", "proxied"]) {
  const flange = await start(peerOf(`flange, ${listener}`, "cache", ["--listener", listener]))
  try {
    const fastify = await start(peerOf("fastify", "cacheFastify", []))
    try {
      const cached = { endpoint: endpoint("cached"), name: "cached", server: flange }
      const others = ["fixed", "uncached"].map((name): Paired.Candidate => ({
        endpoint: endpoint(name),
        name,
        server: flange
      }))
      const peer = { endpoint: endpoint("cached"), name: "fastify, cached", server: fastify }
      results[`${listener}, to fastify`] = await Paired.measure([peer, cached], options, noise)
      for (const other of others) {
        results[`${listener}, to ${other.name}`] = await Paired.measure(
          [other, cached],
          options,
          noise
        )
      }
    } finally {
      await fastify.stop()
    }
  } finally {
    await flange.stop()
  }
}

Paired.print("GET of a page of products", results)
const circumstances = Report.circumstances(options, noise)
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("cache", options)}.json`, { circumstances, results })
