// From the start of the process to the first 200, and resident memory when idle and under load.
// `installed`: dependencies as npm installs them, the program and Flange itself as plain JavaScript.
// `bundled`: everything in one file by esbuild. Ratios are to Fastify installed; below 1 is better.
// Run: node bench/coldstart.ts        Options: --rounds --seconds --peers a,b --client --quick
import { bundled, installed } from "./lib/Build.ts"
import * as Load from "./lib/Load.ts"
import * as Options from "./lib/Options.ts"
import type * as Peers from "./lib/Peers.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import { ratios, type Spread, spread } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"
import { endpoints } from "./lib/Workload.ts"

const tier = "bare"
const options = Options.parse({ quick: { rounds: 3, seconds: 1 }, rounds: 10, seconds: 3 })
const noise = new Report.Noise()
const [json] = endpoints(tier)

interface Sample {
  readonly rssIdle: number
  readonly rssLoad: number
  readonly start: number
}

const variants: Array<{
  readonly file: string
  readonly name: string
  readonly peer: Peers.Peer
  readonly samples: Array<Sample>
}> = []
const unavailable: Array<{ readonly name: string; readonly reason: string }> = []
for (const peer of options.peers) {
  for (const [kind, build] of Object.entries({ installed, bundled })) {
    const name = `${peer.title}, ${kind}`
    try {
      variants.push({ file: await build(peer), name, peer, samples: [] })
    } catch (error) {
      unavailable.push({ name, reason: String(error).split("\n", 2).join(" ") })
    }
  }
}

const megabytes = (bytes: number) => bytes / 1024 / 1024

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const sample = async (peer: Peers.Peer, file: string): Promise<Sample> => {
  const server = await Server.start(peer, { file, tier, until: "/json" })
  try {
    await pause(300)
    const rssIdle = megabytes(server.rss())
    const load = Load.run(options.client, server.port, json!, options.seconds)
    await pause(options.seconds * 1000 - 200)
    const rssLoad = megabytes(server.rss())
    await load
    return { rssIdle, rssLoad, start: server.startMillis }
  } finally {
    await server.stop()
  }
}

for (let round = 0; round < options.rounds; round++) {
  await noise.sample()
  for (const variant of variants) {
    if (unavailable.some(({ name }) => name === variant.name)) continue
    try {
      variant.samples.push(await sample(variant.peer, variant.file))
    } catch (error) {
      unavailable.push({ name: variant.name, reason: String(error).split("\n", 1)[0]! })
    }
  }
  console.log(`round ${round + 1} of ${options.rounds}`)
}

const measured = variants.filter(({ samples }) => samples.length === options.rounds)
const measures = ["start", "rssIdle", "rssLoad"] as const
const base = measured.find(({ name }) => name === "Fastify, installed")
if (base === undefined) throw new Error("Fastify itself could not be measured")

interface Result {
  readonly ratio: Spread
  readonly value: Spread
}

const results = Object.fromEntries(
  measured.map(({ name, samples }) => [
    name,
    Object.fromEntries(
      measures.map((measure): [string, Result] => {
        const values = samples.map((each) => each[measure])
        return [
          measure,
          {
            ratio: ratios(
              values,
              base.samples.map((each) => each[measure])
            ),
            value: spread(values)
          }
        ]
      })
    )
  ])
)

console.log("\nRatio to Fastify as installed: median (min to max); below 1 is better\n")
console.log(
  table(
    ["", "first 200", "in ms", "RSS idle", "in MB", "RSS under load", "in MB"],
    Object.entries(results).map(([name, result]) => [
      name,
      ...measures.flatMap((measure) => [
        cell(result[measure]!.ratio),
        result[measure]!.value.median.toFixed(0)
      ])
    ])
  )
)
for (const { name, reason } of unavailable) console.log(`not measured: ${name}: ${reason}`)
const circumstances = Report.circumstances(options, noise)
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("coldstart", options)}.json`, {
  circumstances,
  results,
  unavailable
})
