// Throughput of Flange beside its peers, as ratios to Fastify at the same tier.
// Run: npm run bench        Options: --tier --rounds --seconds --peers a,b --client --quick
import * as Chart from "./lib/Chart.ts"
import * as Fleet from "./lib/Fleet.ts"
import * as Load from "./lib/Load.ts"
import { missing } from "./lib/Missing.ts"
import * as Options from "./lib/Options.ts"
import * as Peers from "./lib/Peers.ts"
import * as Report from "./lib/Report.ts"
import { geometricMean, median, ratios, type Spread } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"
import { endpoints, type Tier } from "./lib/Workload.ts"

export interface PeerResult {
  readonly endpoints: Readonly<
    Record<string, { readonly rates: ReadonlyArray<number>; readonly ratio: Spread }>
  >
  readonly geometricMean: Spread
  readonly title: string
}

const options = Options.parse({ quick: { rounds: 2, seconds: 1 }, rounds: 5, seconds: 3 })
const noise = new Report.Noise()

const measure = async (tier: Tier) => {
  const wanted = endpoints(tier)
  const fleet = await Fleet.start(options.peers, tier)
  const rates = new Map<string, Array<number>>()
  try {
    await Fleet.warmUp(fleet, wanted, options)
    for (let round = 0; round < options.rounds; round++) {
      await noise.sample()
      for (const endpoint of wanted) {
        for (const server of Fleet.turn(fleet.servers, round)) {
          const { rate } = await Load.run(options.client, server.port, endpoint, options.seconds)
          const key = `${server.peer.name} ${endpoint.name}`
          rates.set(key, [...(rates.get(key) ?? []), Math.round(rate)])
        }
      }
      console.log(`${tier}: round ${round + 1} of ${options.rounds}`)
    }
  } finally {
    await fleet.stop()
  }
  const ratesOf = (peer: string, endpoint: string) => rates.get(`${peer} ${endpoint}`)!
  const meanOf = (peer: string) =>
    Array.from({ length: options.rounds }, (_, round) =>
      geometricMean(wanted.map(({ name }) => ratesOf(peer, name)[round]!))
    )
  const results = fleet.servers.map(({ peer }): [string, PeerResult] => [
    peer.name,
    {
      endpoints: Object.fromEntries(
        wanted.map(({ name }) => [
          name,
          {
            rates: ratesOf(peer.name, name),
            ratio: ratios(ratesOf(peer.name, name), ratesOf(Peers.base, name))
          }
        ])
      ),
      geometricMean: ratios(meanOf(peer.name), meanOf(Peers.base)),
      title: peer.title
    }
  ])
  return {
    missing: tier === "production" ? missing : [],
    peers: Object.fromEntries(results),
    unavailable: fleet.unavailable
  }
}

const tiers: Record<string, Awaited<ReturnType<typeof measure>>> = {}
for (const tier of options.tiers) tiers[tier] = await measure(tier)
await noise.sample()

const circumstances = Report.circumstances(options, noise)
for (const [tier, { missing, peers }] of Object.entries(tiers)) {
  const names = endpoints(tier as Tier).map(({ name }) => name)
  console.log(`\n${tier}: requests per second, ratio to Fastify: median (min to max)\n`)
  console.log(
    table(
      ["", ...names, "geometric mean"],
      Object.values(peers).map((peer) => [
        peer.title,
        ...names.map((name) => cell(peer.endpoints[name]!.ratio)),
        cell(peer.geometricMean)
      ])
    )
  )
  const base = names.map(
    (name) => `${name} ${median(peers[Peers.base]!.endpoints[name]!.rates).toFixed(0)}`
  )
  console.log(`\nFastify itself, requests per second: ${base.join(", ")}`)
  for (const what of missing) console.log(`missing in Flange: ${what}`)
}
console.log(`\n${Report.describe(circumstances)}`)

const name = Report.nameOf("latest", options)
Report.write(`${name}.json`, { circumstances, tiers })
Report.write(`${name}.svg`, Chart.draw(circumstances, tiers))
