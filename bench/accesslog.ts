// What Flange's access log costs: throughput with it, as a ratio to the same server without it.
// Lines go to /dev/null and to a file, which is where a container's runtime lets them go.
// Run: node bench/accesslog.ts        Options: --tier --rounds --seconds --client --quick
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Fleet from "./lib/Fleet.ts"
import * as Load from "./lib/Load.ts"
import * as Options from "./lib/Options.ts"
import * as Peers from "./lib/Peers.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import { ratios } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"
import { endpoints } from "./lib/Workload.ts"

const options = Options.parse({ quick: { rounds: 2, seconds: 1 }, rounds: 5, seconds: 3 })
const noise = new Report.Noise()
const flange = Peers.peers.find(({ name }) => name === "flange")!

const folder = mkdtempSync(join(tmpdir(), "flange-bench-"))
const file = openSync(join(folder, "access.log"), "a")
process.on("exit", () => {
  closeSync(file)
  rmSync(folder, { force: true, recursive: true })
})

const variants = [
  { accessLog: "off", name: "off", stdout: "ignore" },
  { accessLog: "on", name: "to /dev/null", stdout: "ignore" },
  { accessLog: "on", name: "to a file", stdout: file }
] as const

const results: Record<string, Record<string, object>> = {}
const rows: Record<"perCpu" | "rate", Array<ReadonlyArray<string>>> = { perCpu: [], rate: [] }
for (const tier of options.tiers) {
  const servers: Array<{ readonly name: string; readonly server: Server.Server }> = []
  try {
    for (const { accessLog, name, stdout } of variants) {
      const server = await Server.start(flange, {
        arguments: ["--access-log", accessLog],
        stdout,
        tier
      })
      servers.push({ name, server })
      for (const endpoint of endpoints(tier)) {
        await Load.run(options.client, server.port, endpoint, options.quick ? 1 : 3)
      }
    }
    for (const endpoint of endpoints(tier)) {
      await noise.sample()
      const rates = new Map(servers.map(({ name }) => [name, [] as Array<Fleet.Rates>]))
      for (let round = 0; round < options.rounds; round++) {
        for (const { name, server } of Fleet.turn(servers, round)) {
          rates.get(name)!.push(await Fleet.rates(server, endpoint, options))
        }
      }
      const ratioOf = (name: string, measure: "perCpu" | "rate") =>
        ratios(
          rates.get(name)!.map((each) => each[measure]),
          rates.get("off")!.map((each) => each[measure])
        )
      const on = variants.filter(({ accessLog }) => accessLog === "on")
      results[`${tier} ${endpoint.name}`] = Object.fromEntries(
        on.map(({ name }) => [
          name,
          { perCpu: ratioOf(name, "perCpu"), rate: ratioOf(name, "rate") }
        ])
      )
      for (const measure of ["perCpu", "rate"] as const) {
        rows[measure].push([
          `${tier} ${endpoint.name}`,
          ...on.map(({ name }) => cell(ratioOf(name, measure)))
        ])
      }
    }
  } finally {
    await Promise.all(servers.map(({ server }) => server.stop()))
  }
}

if (fstatSync(file).size === 0) throw new Error("No access line was written to the file")

const head = ["", "to /dev/null", "to a file"]
console.log("\nRequests per second with the access log, ratio to without: median (min to max)\n")
console.log(table(head, rows.rate))
console.log("\nThe same per second of the server's CPU time\n")
console.log(table(head, rows.perCpu))
const circumstances = Report.circumstances(options, noise)
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("accesslog", options)}.json`, { circumstances, results })
