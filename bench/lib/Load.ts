/** Closed-loop load: as many requests as the server answers. */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import * as Cores from "./Cores.ts"
import type { Endpoint, Request } from "./Workload.ts"

export type Client = "autocannon" | "wrk"

/** wrk where it is installed. */
export const available: Client = spawnSync("wrk", ["--version"]).error ? "autocannon" : "wrk"

const defaultConnections = 64

export interface Measured {
  /** Milliseconds. */
  readonly p99: number
  /** Requests per second. */
  readonly rate: number
  /** All requests of the run. */
  readonly requests: number
}

/** What both clients say of a run. */
interface Raw extends Measured {
  /** Replies that were not 2xx, broken connections, timeouts. */
  readonly errors: number
}

export const run = async (
  client: Client,
  port: number,
  endpoint: Endpoint,
  seconds: number
): Promise<Measured> => {
  const { errors, ...measured } = await (client === "wrk" ? wrk : autocannon)(
    port,
    endpoint,
    seconds
  )
  if (errors > 0) throw new Error(`${errors} requests to ${endpoint.name} went wrong under load`)
  return measured
}

/** What a command writes; fails where it fails. */
export const output = (command: readonly [string, ReadonlyArray<string>]) =>
  new Promise<string>((resolve, reject) => {
    const child = spawn(command[0], command[1], { stdio: ["ignore", "pipe", "pipe"] })
    let out = ""
    let err = ""
    child.stdout.on("data", (chunk) => (out += chunk))
    child.stderr.on("data", (chunk) => (err += chunk))
    child.on("error", reject)
    child.on("close", (code) => (code === 0 ? resolve(out) : reject(new Error(err || out))))
  })

/** Lua reads what JSON writes, as long as it is ASCII. */
const lua = (request: Request) =>
  `wrk.format(${JSON.stringify(request.method)}, ${JSON.stringify(request.path)}, {${Object.entries(
    request.headers
  )
    .map(([name, value]) => `[${JSON.stringify(name)}]=${JSON.stringify(value)}`)
    .join(",")}}, ${request.body === undefined ? "nil" : JSON.stringify(request.body)})`

const script = (requests: ReadonlyArray<Request>) => `
local requests = {}
local i = 0
function init()
  requests = { ${requests.map(lua).join(",\n")} }
end
function request()
  i = i % #requests + 1
  return requests[i]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('RESULT {"errors":%d,"p99":%f,"rate":%f,"requests":%d}\\n',
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(99) / 1000,
    summary.requests / summary.duration * 1000000,
    summary.requests))
end
`

const wrk = async (
  port: number,
  { connections = defaultConnections, requests }: Endpoint,
  seconds: number
): Promise<Raw> => {
  const folder = mkdtempSync(join(tmpdir(), "flange-bench-"))
  try {
    const file = join(folder, "load.lua")
    writeFileSync(file, script(requests))
    const url = `http://127.0.0.1:${port}`
    const sizes = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s"]
    const text = await output(Cores.on("client", "wrk", [...sizes, "-s", file, url]))
    return JSON.parse(/^RESULT (.*)$/m.exec(text)![1]!) as Raw
  } finally {
    rmSync(folder, { force: true, recursive: true })
  }
}

const autocannon = async (
  port: number,
  { connections = defaultConnections, requests }: Endpoint,
  seconds: number
): Promise<Raw> => {
  const file = resolve(import.meta.dirname, "Autocannon.ts")
  const options = JSON.stringify({
    connections,
    duration: seconds,
    requests,
    url: `http://127.0.0.1:${port}`
  })
  return JSON.parse(await output(Cores.on("client", process.execPath, [file, options]))) as Raw
}
