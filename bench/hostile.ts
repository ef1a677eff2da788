// What an anonymous caller may cost: inputs that attack a server, each beside honest input of as
// many bytes. Prints CPU time, peak memory and event-loop delay, and fails if a ratio is above its
// goal or a process of 400 MB heap ends.
// Run: node bench/hostile.ts        Options: --listener node|proxied --only TEXT
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { parseArgs } from "node:util"
import { type Input, inputs, type Traffic } from "./lib/hostile/Inputs.ts"
import type { Spent } from "./lib/hostile/Probe.ts"
import * as Peers from "./lib/Peers.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import { table } from "./lib/Table.ts"

const { values } = parseArgs({
  options: { listener: { type: "string" }, only: { default: "", type: "string" } }
})
const peers = { node: "flange", proxied: "flange-proxied" } as const
const listeners = Object.keys(peers) as Array<keyof typeof peers>
if (values.listener !== undefined && !(values.listener in peers)) {
  throw new Error(`--listener ${values.listener}: write node or proxied`)
}

const mebibyte = 1024 * 1024

/** Goals: how many times the control's cost an input may have. */
const goals = { cpu: 5, delay: 1.5, memory: 4 }

/** Below these a measure is noise: seconds, milliseconds, bytes. */
const floors: Spent = { cpu: 0.02, delay: 25, memory: 16 * mebibyte }

const folder = mkdtempSync(join(tmpdir(), "flange-hostile-"))
const probe = join(folder, "probe.sock")

const ask = () =>
  new Promise<Spent>((resolve, reject) => {
    let text = ""
    const socket = connect(probe, () => socket.write("?"))
    socket.on("data", (chunk) => (text += chunk))
    socket.on("error", reject)
    socket.on("end", () => resolve(JSON.parse(text) as Spent))
  })

/** Sends the bytes of one connection; resolves with the first status when it closes. */
const send = (port: number, { bytes, reads = true }: Traffic) =>
  new Promise<string>((resolve) => {
    let head = ""
    const socket = connect({ host: "127.0.0.1", noDelay: true, port })
    const end = setTimeout(() => socket.destroy(), reads ? 60_000 : 3_000)
    socket.on("connect", () => {
      socket.write(bytes)
      if (!reads) socket.pause()
    })
    if (reads) {
      let quiet = setTimeout(() => {}, 0)
      socket.on("data", (chunk: Buffer) => {
        if (head.length < 16) head += chunk.toString("latin1", 0, 16)
        clearTimeout(quiet)
        // Pipelined requests keep the connection open after the last reply.
        quiet = setTimeout(() => socket.destroy(), 500)
      })
    }
    socket.on("error", () => {})
    socket.on("close", () => {
      clearTimeout(end)
      resolve(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? "none")
    })
  })

interface Cost extends Spent {
  readonly ended: boolean
  readonly status: string
}

const cost = async (
  listener: keyof typeof peers,
  traffic: Traffic,
  times: number
): Promise<Cost> => {
  const peer = Peers.peers.find(({ name }) => name === peers[listener])!
  const server = await Server.start(
    { ...peer, script: "hostile" },
    {
      environment: {
        HOSTILE_PROBE: probe,
        NODE_OPTIONS: `--max-old-space-size=400 --import=${resolve(import.meta.dirname, "lib/hostile/Probe.ts")}`
      },
      tier: "bare"
    }
  )
  try {
    while (!existsSync(probe)) await pause(5)
    const run = () =>
      Promise.all(
        Array.from({ length: traffic.connections ?? 1 }, () => send(server.port, traffic))
      )
    // The first reply and the first refusal compile what they run.
    await send(server.port, {
      bytes: Buffer.from("GET /read/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    })
    await send(server.port, {
      bytes: Buffer.from(
        "POST /text HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\n\xff",
        "latin1"
      )
    })
    await pause(300)
    await ask()
    let statuses: ReadonlyArray<string> = []
    for (let i = 0; i < times; i++) statuses = await run()
    const spent = await ask().catch(() => undefined)
    return {
      cpu: spent?.cpu ?? Number.POSITIVE_INFINITY,
      delay: spent?.delay ?? Number.POSITIVE_INFINITY,
      ended: spent === undefined,
      memory: spent?.memory ?? Number.POSITIVE_INFINITY,
      status: statuses[0]!
    }
  } finally {
    await server.stop()
    rmSync(probe, { force: true })
  }
}

const ratio = (hostile: Cost, control: Cost, measure: keyof Spent) =>
  Math.max(hostile[measure], floors[measure]) / Math.max(control[measure], floors[measure])

const rows: Array<object> = []
const lines: Array<ReadonlyArray<string>> = []
let missed = 0

const judge = async (listener: keyof typeof peers, { control, hostile, name, times }: Input) => {
  const honest = await cost(listener, control, times)
  const attack = await cost(listener, hostile, times)
  const over = (Object.keys(goals) as Array<keyof typeof goals>).filter(
    (measure) => ratio(attack, honest, measure) > goals[measure]
  )
  const misses = attack.ended ? ["ended"] : over
  missed += misses.length
  rows.push({ attack, honest, listener, misses, name })
  lines.push([
    listener,
    name,
    `${honest.status} ${attack.status}`,
    ...[
      ["cpu", 1000 / times, "ms"] as const,
      ["memory", 1 / mebibyte, "MiB"] as const,
      ["delay", 1, "ms"] as const
    ].map(
      ([measure, scale, unit]) =>
        `${(honest[measure] * scale).toFixed(1)} ${(attack[measure] * scale).toFixed(1)} ${unit} (${ratio(attack, honest, measure).toFixed(1)})`
    ),
    misses.join(" ")
  ])
  console.log(lines.at(-1)!.join("  "))
}

try {
  for (const listener of listeners) {
    if (values.listener !== undefined && values.listener !== listener) continue
    for (const input of inputs) {
      if (input.name.includes(values.only)) await judge(listener, input)
    }
  }
} finally {
  rmSync(folder, { force: true, recursive: true })
}

console.log(
  `\n${table(["listener", "input", "status: control, input", "CPU of one", "memory", "delay", "above its goal"], lines)}`
)
const isWhole = values.listener === undefined && values.only === ""
Report.write(isWhole ? "hostile.json" : "hostile.partial.json", { goals, rows })
if (missed > 0) process.exitCode = 1
