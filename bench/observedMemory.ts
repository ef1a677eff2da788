/**
 * Whether the memory of an observed server stays flat: every request is traced, measured and logged, at a
 * constant rate, first to a collector that takes everything, then to one that takes nothing.
 * Run: node bench/observedMemory.ts        Options: --minutes --rate
 */
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { parseArgs } from "node:util"
import * as Collector from "./lib/Collector.ts"
import * as OpenLoopRun from "./lib/OpenLoopRun.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import { table } from "./lib/Table.ts"
import { endpoints } from "./lib/Workload.ts"

const { values } = parseArgs({
  options: {
    minutes: { default: "10", type: "string" },
    rate: { default: "2000", type: "string" }
  }
})
const minutes = Number(values.minutes)
const rate = Number(values.rate)
const endpoint = endpoints("bare").find(({ name }) => name === "user")!

const takesAll = await Collector.start()
/** Accepts connections and never answers. */
const hanging = createServer(() => {})
await new Promise<void>((resolve) => hanging.listen(0, "127.0.0.1", resolve))
const hangs = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`

const results: Record<string, ReadonlyArray<number>> = {}
for (const [name, endpointUrl] of [
  ["a collector that takes everything", takesAll.url],
  ["a collector that hangs", hangs]
] as const) {
  const server = await Server.start(
    { arguments: ["--observed"], name, optional: false, script: "observed/flange", title: name },
    {
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: endpointUrl, OTEL_TRACES_SAMPLER_ARG: "1" },
      tier: "bare",
      until: "/json"
    }
  )
  const resident = [server.rss()]
  for (let minute = 0; minute < minutes; minute++) {
    await OpenLoopRun.run(server.port, endpoint, rate, 60)
    resident.push(server.rss())
  }
  results[name] = resident.map((bytes) => Math.round(bytes / 2 ** 20))
  await server.stop()
}
await takesAll.stop()
hanging.close()
hanging.unref()

console.log(`\nResident MiB by minute, at ${rate} requests per second\n`)
console.log(
  table(
    ["", ...Array.from({ length: minutes + 1 }, (_, minute) => String(minute))],
    Object.entries(results).map(([name, all]) => [name, ...all.map(String)])
  )
)
Report.write("observedMemory.json", { date: new Date().toISOString(), rate, results })
process.exit(0)
