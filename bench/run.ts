// Throughput of Flange beside its peers, as ratios to Fastify at the same tier.
// Run: npm run bench        Options: --tier --rounds --seconds --peers a,b --client --quick
import * as Chart from "./lib/Chart.ts"
import * as Fleet from "./lib/Fleet.ts"
import * as Options from "./lib/Options.ts"
import * as Peers from "./lib/Peers.ts"
import * as Report from "./lib/Report.ts"
import * as Results from "./lib/Results.ts"
import { median } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"
import { endpoints, type Tier } from "./lib/Workload.ts"

const options = Options.parse({ quick: { rounds: 2, seconds: 1 }, rounds: 5, seconds: 3 })
const noise = new Report.Noise()

const measure = async (tier: Tier) => {
  const wanted = endpoints(tier)
  const fleet = await Fleet.start(options.peers, tier)
  const rows: Array<Results.Row> = []
  try {
    await Fleet.warmUp(fleet, wanted, options)
    for (let round = 0; round < options.rounds; round++) {
      await noise.sample()
      for (const endpoint of wanted) {
        for (const server of Fleet.turn(fleet.servers, round)) {
          const rates = await Fleet.rates(server, endpoint, options)
          rows.push({ ...rates, column: endpoint.name, peer: server.peer.name, round })
        }
      }
      console.log(`${tier}: round ${round + 1} of ${options.rounds}`)
    }
  } finally {
    await fleet.stop()
  }
  const names = wanted.map(({ name }) => name)
  const running = fleet.servers.map(({ peer }) => peer)
  return {
    perCpu: Results.toRatios(rows, "perCpu", running, names),
    peers: Results.toRatios(rows, "rate", running, names),
    unavailable: fleet.unavailable
  }
}

const tiers: Record<string, Awaited<ReturnType<typeof measure>>> = {}
for (const tier of options.tiers) tiers[tier] = await measure(tier)
await noise.sample()

const show = (title: string, peers: Results.ByPeer, names: ReadonlyArray<string>) => {
  const rows = Object.values(peers).map((peer) => [
    peer.title,
    ...names.map((name) => cell(peer.columns[name]!.ratio)),
    cell(peer.geometricMean)
  ])
  console.log(`\n${title}, ratio to Fastify: median (min to max)\n`)
  console.log(table(["", ...names, "geometric mean"], rows))
}

const circumstances = Report.circumstances(options, noise)
for (const [tier, { peers, perCpu }] of Object.entries(tiers)) {
  const names = endpoints(tier as Tier).map(({ name }) => name)
  show(`${tier}: requests per second`, peers, names)
  show(`${tier}: requests per second of the server's CPU time`, perCpu, names)
  const base = names.map(
    (name) => `${name} ${median(peers[Peers.base]!.columns[name]!.values).toFixed(0)}`
  )
  console.log(`\nFastify itself, requests per second: ${base.join(", ")}`)
}
console.log(`\n${Report.describe(circumstances)}`)

const name = Report.nameOf("latest", options)
Report.write(`${name}.json`, { circumstances, tiers })
Report.write(`${name}.svg`, Chart.draw(circumstances, tiers))
