// 200 concurrent requests on a pool of 4 connections, whose query takes 5 ms: latencies of Flange
// beside Fastify with `pg`. A fair pool makes all wait about equally long: p99 and the longest wait
// are near the median.
// Run: node bench/pool.ts        Options: --rounds --seconds --quick
// PostgreSQL is the one of TEST_POSTGRES_URL, or postgres://postgres@127.0.0.1:5432/test.
import { Agent, get } from "node:http"
import * as Fleet from "./lib/Fleet.ts"
import * as Options from "./lib/Options.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import { ratios, spread } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"

const options = Options.parse({ quick: { rounds: 2, seconds: 3 }, rounds: 5, seconds: 5 })
const noise = new Report.Noise()
const url = process.env["TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/test"
const concurrent = 200

const variants = ["fastify", "flange", "fastify transactional", "flange transactional"] as const
const measures = ["p50", "p99", "longest"] as const
type Sample = Readonly<Record<(typeof measures)[number] | "rate", number>>

const ask = (agent: Agent, port: number) =>
  new Promise<number>((resolve, reject) => {
    const start = performance.now()
    get({ agent, host: "127.0.0.1", path: "/wait", port }, (response) => {
      response.resume()
      response.on("end", () => {
        if (response.statusCode === 200) resolve(performance.now() - start)
        else reject(new Error(`the reply was ${response.statusCode}`))
      })
    }).on("error", reject)
  })

const measure = async (port: number, seconds: number): Promise<Sample> => {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrent })
  const waits: Array<number> = []
  const end = performance.now() + seconds * 1000
  const client = async () => {
    while (performance.now() < end) waits.push(await ask(agent, port))
  }
  await Promise.all(Array.from({ length: concurrent }, client))
  agent.destroy()
  waits.sort((a, b) => a - b)
  const at = (share: number) => waits[Math.floor(share * (waits.length - 1))]!
  return { longest: at(1), p50: at(0.5), p99: at(0.99), rate: waits.length / seconds }
}

const servers: Array<Server.Server> = []
const samples = new Map(variants.map((name) => [name as string, [] as Array<Sample>]))
try {
  for (const name of variants) {
    servers.push(
      await Server.start(
        { arguments: [], name, optional: false, script: "pool", title: name },
        {
          environment: { DATABASE_URL: url, FLANGE_ENV: "production", VARIANT: name },
          tier: "bare",
          until: "/wait"
        }
      )
    )
  }
  for (const { port } of servers) await measure(port, 1)
  for (let round = 0; round < options.rounds; round++) {
    await noise.sample()
    for (const { peer, port } of Fleet.turn(servers, round)) {
      samples.get(peer.name)!.push(await measure(port, options.seconds))
    }
  }
} finally {
  await Promise.all(servers.map((server) => server.stop()))
}

const of = (name: string, value: keyof Sample) => samples.get(name)!.map((each) => each[value])
const results = Object.fromEntries(
  variants.map((name) => [
    name,
    Object.fromEntries(
      ([...measures, "rate"] as const).map((value) => [
        value,
        {
          ratio: ratios(of(name, value), of(name.replace("flange", "fastify"), value)),
          value: spread(of(name, value))
        }
      ])
    )
  ])
)
console.log(`\n${concurrent} concurrent on 4 connections: milliseconds, and ratios to Fastify\n`)
console.log(
  table(
    ["", "requests per second", ...measures.flatMap((value) => [value, "ratio"])],
    Object.entries(results).map(([name, result]) => [
      name,
      result["rate"]!.value.median.toFixed(0),
      ...measures.flatMap((value) => [
        result[value]!.value.median.toFixed(0),
        cell(result[value]!.ratio)
      ])
    ])
  )
)
const circumstances = Report.circumstances({ ...options, client: "node:http" }, noise)
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("pool", options)}.json`, { circumstances, results })
