// Hours of trouble in ten minutes: good and bad requests, aborts at every moment, silent and
// half-closed connections, pipelined bursts, new connections. Fits a line through the second half of
// what the server's process holds after a collection, and fails when memory or sockets grow.
// Run: node bench/soak.ts        Options: --minutes 10 --rate 200 --listener node|proxied --only NAME --snapshots
// `--only` takes one kind of action, `--snapshots` writes the heap at half and at the end.
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { resolve } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { parseArgs } from "node:util"
import * as Peers from "./lib/Peers.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import { fit, type Line } from "./lib/soak/Line.ts"
import type { Held } from "./lib/soak/Probe.ts"
import * as Traffic from "./lib/soak/Traffic.ts"
import { table } from "./lib/Table.ts"

const { values } = parseArgs({
  options: {
    listener: { type: "string" },
    minutes: { default: "10", type: "string" },
    only: { type: "string" },
    rate: { default: "200", type: "string" },
    snapshots: { default: false, type: "boolean" }
  }
})
const number = (name: "minutes" | "rate") => {
  const value = Number(values[name])
  if (!(value > 0)) throw new Error(`--${name} ${values[name]}: write a number above 0`)
  return value
}
const minutes = number("minutes")
const rate = number("rate")
const peers = { node: "flange", proxied: "flange-proxied" } as const
const listeners = Object.keys(peers) as Array<keyof typeof peers>
if (values.listener !== undefined && !(values.listener in peers)) {
  throw new Error(`--listener ${values.listener}: write node or proxied`)
}

if (values.only !== undefined && !Traffic.actions.some(({ name }) => name === values.only)) {
  const names = Traffic.actions.map(({ name }) => name).join(", ")
  throw new Error(`--only ${values.only}: write one of ${names}`)
}

const mebibyte = 1024 * 1024

interface Sample extends Held {
  readonly second: number
}

/** What must not grow, and how much of growth in an hour is still noise. */
const measures: ReadonlyArray<{
  readonly limit: number
  readonly name: string
  readonly of: (sample: Held) => number
  readonly unit: string
}> = [
  { limit: 12, name: "heap", of: ({ heapUsed }) => heapUsed / mebibyte, unit: "MiB" },
  { limit: 60, name: "resident", of: ({ rss }) => rss / mebibyte, unit: "MiB" },
  {
    limit: 12,
    name: "outside the heap",
    of: ({ external }) => external / mebibyte,
    unit: "MiB"
  },
  {
    limit: 360,
    name: "handles",
    of: ({ handles }) => Object.values(handles).reduce((sum, count) => sum + count, 0),
    unit: "pieces"
  },
  { limit: 360, name: "descriptors", of: ({ descriptors }) => descriptors, unit: "pieces" }
]

interface Growth extends Line {
  readonly first: number
  readonly grows: boolean
  readonly last: number
  readonly limit: number
  readonly unit: string
}

const folder = mkdtempSync(resolve(tmpdir(), "flange-soak-"))
process.on("exit", () => rmSync(folder, { force: true, recursive: true }))

/** Asks the probe in the server's process. */
const ask = async (path: string, command: string): Promise<string> => {
  const socket = connect(path)
  let text = ""
  socket.on("data", (chunk) => {
    text += chunk
    if (text.endsWith("\n")) socket.end()
  })
  await once(socket, "connect")
  socket.write(`${command}\n`)
  await once(socket, "close")
  return text
}

const soak = async (listener: keyof typeof peers) => {
  const peer = Peers.peers.find(({ name }) => name === peers[listener])!
  const path = resolve(folder, `${listener}.sock`)
  const probe = resolve(import.meta.dirname, "lib/soak/Probe.ts")
  const server = await Server.start(peer, {
    environment: {
      // All clients have one address, and some send wrong credentials.
      FLANGE__GUESSING__ENABLED: "false",
      NODE_OPTIONS: `--import ${probe}`,
      SOAK_PROBE: path
    },
    file: resolve(import.meta.dirname, "servers/soak.ts"),
    tier: "production"
  })
  const held = async (): Promise<Held> => JSON.parse(await ask(path, "sample")) as Held
  const snapshot = async (name: string) => {
    if (!values.snapshots) return
    const file = resolve(tmpdir(), `flange-soak-${listener}-${name}.heapsnapshot`)
    console.log(`wrote ${(await ask(path, `snapshot ${file}`)).trim()}`)
  }
  try {
    const before = await held()
    const samples: Array<Sample> = []
    const began = performance.now()
    const traffic = Traffic.start(server.port, rate, values.only)
    const interval = Math.min(10, (minutes * 60) / 30)
    let hasSnapshot = false
    for (;;) {
      await pause(interval * 1000)
      const second = (performance.now() - began) / 1000
      samples.push({ ...(await held()), second })
      if (!hasSnapshot && second > minutes * 30) {
        hasSnapshot = true
        await snapshot("half")
      }
      if (second >= minutes * 60) break
    }
    await snapshot("end")
    await traffic.stop()
    await pause(2000)
    const after = await held()
    const half = samples.filter(({ second }) => second >= minutes * 30)
    const growth = Object.fromEntries(
      measures.map(({ limit, name, of, unit }): [string, Growth] => {
        const numbers = half.map(of)
        const line = fit(
          half.map(({ second }) => second),
          numbers
        )
        // A slope within twice its error says nothing.
        const grows = line.slope > limit && line.slope > 2 * line.error
        return [name, { ...line, first: numbers[0]!, grows, last: numbers.at(-1)!, limit, unit }]
      })
    )
    const { tally } = traffic
    return { after, before, growth, samples, tally }
  } finally {
    await server.stop()
  }
}

const noise = new Report.Noise()
const results: Record<string, Awaited<ReturnType<typeof soak>>> = {}
const failures: Array<string> = []
for (const listener of values.listener === undefined ? listeners : [values.listener]) {
  await noise.sample()
  const result = await soak(listener as keyof typeof peers)
  results[listener] = result
  const { after, before, growth, tally } = result
  console.log(`\n${listener} listener: ${tally.done} actions, ${tally.skipped} left out\n`)
  const round = (value: number) => value.toFixed(1)
  const rows = Object.entries(growth).map(
    ([name, { error, first, grows, last, limit, slope, unit }]) => [
      `${name}, ${unit}`,
      round(measures.find((measure) => measure.name === name)!.of(before)),
      round(first),
      round(last),
      round(measures.find((measure) => measure.name === name)!.of(after)),
      `${round(slope)} ± ${round(2 * error)}`,
      String(limit),
      grows ? "GROWS" : "flat"
    ]
  )
  const head = ["", "before", "at half", "at the end", "after", "per hour", "limit", ""]
  console.log(table(head, rows))
  const statuses = Object.entries(tally.statuses).map(([status, count]) => `${status}: ${count}`)
  console.log(`\nreplies ${statuses.join(", ")}`)
  for (const [name, { grows }] of Object.entries(growth)) {
    if (grows) failures.push(`${listener}: ${name} grows`)
  }
  const left = (after.handles["TCPSocketWrap"] ?? 0) - (before.handles["TCPSocketWrap"] ?? 0)
  if (left > 0) failures.push(`${listener}: ${left} connections are open that no client has`)
  if (tally.unexpected.length > 0) {
    failures.push(
      `${listener}: ${tally.unexpected.length} replies that were not expected, such as`,
      ...tally.unexpected.slice(0, 10)
    )
  }
}

const circumstances = Report.circumstances(
  { client: "bench/soak.ts", quick: minutes < 10, rounds: 1, seconds: minutes * 60 },
  noise
)
console.log(`\n${Report.describe(circumstances)}`)
// Each listener has its part in one file; a short run, or one of some actions, has a file of its own.
const kind = values.only !== undefined ? ".only" : minutes < 10 ? ".quick" : ""
const name = `soak${kind}.json`
const before = resolve(import.meta.dirname, "results", name)
Report.write(name, {
  ...(existsSync(before) ? (JSON.parse(readFileSync(before, "utf8")) as object) : {}),
  ...Object.fromEntries(
    Object.entries(results).map(([listener, result]) => [
      listener,
      { circumstances, minutes, rate, ...result }
    ])
  )
})
for (const failure of failures) console.error(failure)
process.exit(failures.length > 0 ? 1 : 0)
