// Flange on Bun and Deno beside Elysia, Hono and the runtime itself. Ratios are to the first of each
// runtime: Elysia on Bun, Hono on Deno.
// Run: node bench/runtimes.ts        Options: --client --rounds --seconds --quick
// First: npm ci --prefix test/runtimes/install
import { commands, type Name, obstacle } from "../test/runtimes/commands.ts"
import * as Options from "./lib/Options.ts"
import * as Package from "./lib/Package.ts"
import * as Paired from "./lib/Paired.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import * as Workload from "./lib/Workload.ts"

const options = Options.parse({ quick: { rounds: 3, seconds: 1 }, rounds: 9, seconds: 3 })
const noise = new Report.Noise()

const scripts = {
  bun: ["runtimes/elysia", "runtimes/hono", "runtimes/raw", "flange"],
  deno: ["runtimes/hono", "runtimes/raw", "flange"]
} as const

const start = (runtime: Name, script: string) =>
  Server.start(
    {
      arguments: ["--listener", "auto"],
      name: script.replace("runtimes/", ""),
      optional: false,
      script,
      title: script
    },
    { runtime: commands[runtime], tier: "bare", until: "/json" }
  )

Package.build()
const results: Record<string, ReadonlyArray<Paired.Result>> = {}
for (const runtime of ["bun", "deno"] as const) {
  const problem = obstacle(runtime)
  if (problem !== undefined) throw new Error(problem)
  const servers: Array<Server.Server> = []
  try {
    for (const script of scripts[runtime]) servers.push(await start(runtime, script))
    for (const endpoint of Workload.endpoints("bare")) {
      results[`${runtime} ${endpoint.name}`] = await Paired.measure(
        servers.map((server) => ({ endpoint, name: server.peer.name, server })),
        options,
        noise
      )
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

Paired.print("On other runtimes; ratios are to Elysia on Bun and to Hono on Deno", results)
const circumstances = Report.circumstances(options, noise)
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("runtimes", options)}.json`, { circumstances, results })
