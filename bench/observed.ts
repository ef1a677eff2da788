/**
 * What observability costs: traces by OTLP, Prometheus metrics and an access log in JSON, at the ratios
 * 0.1 and 1, beside Fastify, Hono and stock `HttpApi` with theirs. Each server is measured without and
 * with them in one run, so that the cost of each is a ratio to itself, and its rate one to Fastify's.
 * Run: node bench/observed.ts        Options: --tier --rounds --seconds --client --quick
 */
import * as Collector from "./lib/Collector.ts"
import * as Options from "./lib/Options.ts"
import * as Paired from "./lib/Paired.ts"
import type { Peer } from "./lib/Peers.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import { table } from "./lib/Table.ts"
import { endpoints, type Tier } from "./lib/Workload.ts"

const options = Options.parse({ quick: { rounds: 2, seconds: 1 }, rounds: 5, seconds: 3 })
const noise = new Report.Noise()

interface Variant {
  readonly arguments: ReadonlyArray<string>
  readonly name: string
  /** The ratio of the sampler; undefined without any telemetry. */
  readonly ratio: number | undefined
  readonly script: string
}

const variants: ReadonlyArray<Variant> = [
  { arguments: [], name: "Fastify", script: "fastify" },
  { arguments: [], name: "Hono", script: "hono" },
  { arguments: [], name: "Effect HttpApi", script: "httpapi" },
  { arguments: [], name: "Flange", script: "flange" },
  { arguments: ["--listener", "proxied"], name: "Flange, proxied", script: "flange" }
].flatMap((server) => [
  { ...server, ratio: undefined },
  // Effect has no sampler: it exports every span.
  ...(server.script === "httpapi" ? [] : [{ ...server, ratio: 0.1 }]),
  { ...server, ratio: 1 }
])

const observed = new Set(["fastify", "flange", "hono"])

const startVariant = (variant: Variant, collector: string, tier: Tier) => {
  const { name, ratio, script } = variant
  const peer: Peer = {
    arguments: [...variant.arguments, ...(ratio === undefined ? [] : ["--observed"])],
    name,
    optional: false,
    script: ratio !== undefined && observed.has(script) ? `observed/${script}` : script,
    title: name
  }
  const environment: Record<string, string> =
    ratio === undefined
      ? {}
      : {
          OTEL_EXPORTER_OTLP_ENDPOINT: collector,
          OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
          OTEL_LOGS_EXPORTER: "none",
          OTEL_METRICS_EXPORTER: "none",
          OTEL_SERVICE_NAME: "bench",
          OTEL_TRACES_EXPORTER: "otlp",
          OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
          OTEL_TRACES_SAMPLER_ARG: String(ratio)
        }
  return Server.start(peer, { environment, tier })
}

const titleOf = ({ name, ratio }: Variant) =>
  ratio === undefined ? name : `${name}, ${ratio * 100}% traced`

const results: Record<string, ReadonlyArray<Paired.Result>> = {}
const memory: Record<string, number> = {}
for (const tier of options.tiers) {
  for (const endpoint of endpoints(tier)) {
    if (endpoint.name === "echo") continue
    const collector = await Collector.start()
    const candidates: Array<Paired.Candidate> = []
    try {
      for (const variant of variants) {
        const server = await startVariant(variant, collector.url, tier)
        candidates.push({ endpoint, name: titleOf(variant), server })
      }
      results[`${tier} ${endpoint.name}`] = await Paired.measure(candidates, options, noise)
      for (const { name, server } of candidates) {
        memory[`${tier} ${endpoint.name} ${name}`] = Math.round(server.rss() / 2 ** 20)
      }
    } finally {
      await Promise.all(candidates.map(({ server }) => server.stop()))
      await collector.stop()
    }
    if (!Object.values(collector.bytes()).some((bytes) => bytes > 0)) {
      throw new Error("The collector was sent nothing")
    }
  }
}

/** The share of a server's own rate without telemetry, and of the rate of Fastify with the same. */
const rows = Object.entries(results).flatMap(([group, measured]) => {
  const of = (variant: Variant | undefined) =>
    measured.find(({ name }) => variant !== undefined && name === titleOf(variant))
  return variants.map((variant) => {
    const one = of(variant)!
    const own = of({ ...variant, ratio: undefined })!
    const fastify = of(
      variants.find(({ ratio, script }) => script === "fastify" && ratio === variant.ratio)
    )!
    return {
      cpu: one.cpuPerRequest,
      group,
      memory: memory[`${group} ${one.name}`]!,
      name: one.name,
      ofItself: one.requestsPerSecond / own.requestsPerSecond,
      ofItselfPerCpu: own.cpuPerRequest / one.cpuPerRequest,
      rate: one.requestsPerSecond,
      toFastify: one.requestsPerSecond / fastify.requestsPerSecond,
      toFastifyPerCpu: fastify.cpuPerRequest / one.cpuPerRequest
    }
  })
})

console.log("\nWith telemetry; in brackets per second of the server's CPU time\n")
const head = ["", "", "requests/s", "CPU", "of itself", "to Fastify", "MiB"]
console.log(
  table(
    head,
    rows.map((row) => [
      row.group,
      row.name,
      String(row.rate),
      `${row.cpu.toFixed(1)} us`,
      `${row.ofItself.toFixed(2)} (${row.ofItselfPerCpu.toFixed(2)})`,
      `${row.toFastify.toFixed(2)} (${row.toFastifyPerCpu.toFixed(2)})`,
      String(row.memory)
    ])
  )
)
const circumstances = Report.circumstances(options, noise)
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("observed", options)}.json`, { circumstances, rows })
