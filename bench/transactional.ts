// What `Database.transactional` costs: requests per second of an endpoint with one query, without
// and with a transaction around its handler, beside plain sql-pg behind node:http. A transaction is
// three more round trips: BEGIN, the request's id, COMMIT.
// Run: node bench/transactional.ts        Options: --rounds --seconds --client --quick
// PostgreSQL is the one of TEST_POSTGRES_URL, or postgres://postgres@127.0.0.1:5432/test.
import * as Fleet from "./lib/Fleet.ts"
import * as Load from "./lib/Load.ts"
import * as Options from "./lib/Options.ts"
import type { Peer } from "./lib/Peers.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import { median, ratios } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"
import type { Endpoint } from "./lib/Workload.ts"

const options = Options.parse({ quick: { rounds: 2, seconds: 1 }, rounds: 5, seconds: 3 })
const noise = new Report.Noise()
const url = process.env["TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/test"

const endpoint: Endpoint = {
  name: "one query",
  requests: [{ headers: {}, method: "GET", path: "/one" }]
}

const variants = [
  { name: "plain", title: "sql-pg on node:http" },
  { name: "flange", title: "Flange" },
  { name: "transactional", title: "Flange, transactional" }
] as const

const servers: Array<Server.Server> = []
const rates = new Map(variants.map(({ name }) => [name as string, [] as Array<Fleet.Rates>]))
try {
  for (const { name, title } of variants) {
    const peer: Peer = { arguments: [], name, optional: false, script: "database", title }
    const environment = { DATABASE_URL: url, FLANGE_ENV: "production", VARIANT: name }
    servers.push(await Server.start(peer, { environment, tier: "bare", until: "/one" }))
  }
  for (const { port } of servers) {
    await Load.run(options.client, port, endpoint, options.quick ? 1 : 3)
  }
  for (let round = 0; round < options.rounds; round++) {
    await noise.sample()
    for (const server of Fleet.turn(servers, round)) {
      rates.get(server.peer.name)!.push(await Fleet.rates(server, endpoint, options))
    }
  }
} finally {
  await Promise.all(servers.map((server) => server.stop()))
}

const of = (name: string, measure: keyof Fleet.Rates) =>
  rates.get(name)!.map((each) => each[measure])
const results = Object.fromEntries(
  variants.map(({ name }) => [
    name,
    {
      perCpu: ratios(of(name, "perCpu"), of("plain", "perCpu")),
      rate: ratios(of(name, "rate"), of("plain", "rate")),
      requestsPerSecond: Math.round(median(of(name, "rate")))
    }
  ])
)
console.log("\nOne query: requests per second, and ratios to plain sql-pg: median (min to max)\n")
console.log(
  table(
    ["", "requests per second", "ratio", "ratio per CPU second"],
    variants.map(({ name, title }) => {
      const { perCpu, rate, requestsPerSecond } = results[name]!
      return [title, String(requestsPerSecond), cell(rate), cell(perCpu)]
    })
  )
)
const circumstances = Report.circumstances(options, noise)
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("transactional", options)}.json`, { circumstances, results })
