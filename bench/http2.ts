/**
 * Requests per second over HTTP/2, with TLS and without, against Fastify with `http2`. Both are under load
 * in turn in each round, and the ratio is that of the same round. Needs h2load.
 * Run: node bench/http2.ts        Options: --rounds --seconds --quick --node-options
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Tls } from "flange"
import * as Cores from "./lib/Cores.ts"
import * as Fleet from "./lib/Fleet.ts"
import * as Load from "./lib/Load.ts"
import * as Options from "./lib/Options.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import { median, ratios } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"

const options = Options.parse({ quick: { rounds: 2, seconds: 2 }, rounds: 7, seconds: 4 })
const noise = new Report.Noise()

/** Requests per second, and per second of the server's CPU time. */
const load = async (server: Server.Server, scheme: string, path: string) => {
  const before = server.cpu()
  const text = await Load.output(
    Cores.on("client", "h2load", [
      "-c16",
      "-m8",
      `-D${options.seconds}`,
      `${scheme}://127.0.0.1:${server.port}${path}`
    ])
  )
  const [, done, failed] = /(\d+) done, \d+ succeeded, (\d+) failed/.exec(text) ?? []
  if (failed !== "0") throw new Error(`Requests to ${server.peer.name} went wrong:\n${text}`)
  return { perCpu: Number(done) / (server.cpu() - before), rate: Number(done) / options.seconds }
}

const folder = mkdtempSync(join(tmpdir(), "flange-bench-"))
const lines: Array<ReadonlyArray<string>> = []
const results: Record<string, unknown> = {}
try {
  const { cert, key } = await Effect.runPromise(Tls.selfSigned(["127.0.0.1"]))
  const files = { cert: join(folder, "tls.crt"), key: join(folder, "tls.key") }
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, Redacted.value(key))
  for (const scheme of ["http", "https"]) {
    const variants = [
      {
        environment: scheme === "http" ? {} : { TLS_CERT: files.cert, TLS_KEY: files.key },
        script: "http2Fastify",
        title: "Fastify"
      },
      {
        environment:
          scheme === "http"
            ? { FLANGE__SERVER__H2C: "true" }
            : { FLANGE__SERVER__TLS__CERTIFICATES: JSON.stringify([files]) },
        script: "flange",
        title: "Flange"
      }
    ]
    const servers: Array<Server.Server> = []
    try {
      for (const { environment, script, title } of variants) {
        const peer = { arguments: [], name: title, optional: false, script, title }
        const runtime = { command: process.execPath, parameters: options.nodeOptions }
        servers.push(await Server.start(peer, { environment, runtime, tier: "bare" }))
      }
      for (const path of ["/json", "/users/42?verbose=true"]) {
        for (const server of servers) await load(server, scheme, path)
        const rates = servers.map(() => [] as Array<Fleet.Rates>)
        for (let round = 0; round < options.rounds; round++) {
          await noise.sample()
          for (const [i, server] of Fleet.turn([...servers.entries()], round)) {
            rates[i]!.push(await load(server, scheme, path))
          }
        }
        for (const [i, { peer }] of servers.entries()) {
          const of = (each: number, measure: keyof Fleet.Rates) =>
            rates[each]!.map((one) => one[measure])
          const title = scheme === "http" ? "without TLS" : "TLS"
          const perCpu = ratios(of(i, "perCpu"), of(0, "perCpu"))
          const rate = ratios(of(i, "rate"), of(0, "rate"))
          const requestsPerSecond = Math.round(median(of(i, "rate")))
          results[`${title} ${path} ${peer.name}`] = { perCpu, rate, requestsPerSecond }
          lines.push([
            title,
            path,
            peer.name,
            String(requestsPerSecond),
            `${(1e6 / median(of(i, "perCpu"))).toFixed(1)} us`,
            cell(rate),
            cell(perCpu)
          ])
        }
      }
    } finally {
      await Promise.all(servers.map((server) => server.stop()))
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}
const circumstances = Report.circumstances({ ...options, client: "h2load" }, noise)
console.log(Report.describe(circumstances))
console.log(
  table(
    ["", "", "", "requests per second", "CPU per request", "ratio", "ratio per CPU second"],
    lines
  )
)
