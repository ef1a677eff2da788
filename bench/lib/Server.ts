/** Servers as processes of their own. */
import { type ChildProcess, spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import { resolve } from "node:path"
import { ask } from "./Answer.ts"
import * as Cores from "./Cores.ts"
import * as Package from "./Package.ts"
import type { Peer } from "./Peers.ts"
import type { Tier } from "./Workload.ts"

export interface Server {
  /** Seconds that its threads, and those of its child processes, ran on a core so far. */
  readonly cpu: () => number
  readonly peer: Peer
  readonly port: number
  /** Resident memory in bytes. */
  readonly rss: () => number
  /** From the start of the process until it was up, in milliseconds. */
  readonly startMillis: number
  /** What it wrote to stdout so far, where that is a pipe. */
  readonly stdout: () => string
  readonly stop: () => Promise<void>
}

const children = new Set<ChildProcess>()
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL")
})
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1))

const root = resolve(import.meta.dirname, "..")

/** Returns a port that nothing listens on. */
export const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const probe = createServer()
    probe.on("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { readonly port: number }
      probe.close(() => resolve(port))
    })
  })

const accepts = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.on("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.on("error", () => resolve(false))
  })

const answers = (port: number, path: string) =>
  ask(port, { method: "GET", path }).then(
    ({ status }) => status === 200,
    () => false
  )

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** Source: schedstat of the kernel, nanoseconds in the first field. */
const cpuOf = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    try {
      const [nanos] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")
      return sum + Number(nanos) / 1e9
    } catch {
      // The thread ended meanwhile.
      return sum
    }
  }, 0)

const childrenOf = (pid: number): ReadonlyArray<number> =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number)

/**
 * Starts a peer and waits until it accepts connections. `stdout` is where its access log goes:
 * nowhere (`/dev/null`) by default, a pipe that is read, or a file's descriptor.
 */
export const start = async (
  peer: Peer,
  options: {
    /** Whether it may use all cores. Default: it has one for itself. */
    readonly allCores?: boolean
    readonly arguments?: ReadonlyArray<string>
    readonly environment?: Readonly<Record<string, string>>
    /** A built file instead of the peer's script. */
    readonly file?: string
    /** The runtime of the server. Default: Node. */
    readonly runtime?: { readonly command: string; readonly parameters: ReadonlyArray<string> }
    readonly stdout?: "ignore" | number | "pipe"
    readonly tier: Tier
    /** It is up when it answers this path with 200, not when it accepts connections. */
    readonly until?: string
  }
): Promise<Server> => {
  Package.build()
  const port = await freePort()
  const runtime = options.runtime ?? { command: process.execPath, parameters: [] }
  const program = [
    ...runtime.parameters,
    options.file ?? resolve(root, "servers", `${peer.script}.ts`),
    "--tier",
    options.tier,
    "--port",
    String(port),
    ...peer.arguments,
    ...(options.arguments ?? [])
  ]
  const [command, parameters] =
    options.allCores === true
      ? [runtime.command, program]
      : Cores.on("server", runtime.command, program)
  const started = performance.now()
  const child = spawn(command, parameters, {
    cwd: root,
    env: { ...process.env, NODE_ENV: "production", ...options.environment },
    stdio: ["ignore", options.stdout ?? "ignore", "pipe"]
  })
  children.add(child)
  let stdout = ""
  let stderr = ""
  child.stdout?.on("data", (chunk) => (stdout += chunk))
  child.stderr?.on("data", (chunk) => (stderr = (stderr + chunk).slice(-2000)))
  const exited = new Promise<void>((resolve) => {
    child.on("exit", () => {
      children.delete(child)
      resolve()
    })
  })
  const stop = async () => {
    child.kill("SIGTERM")
    await Promise.race([exited, pause(5000)])
    if (child.exitCode === null) child.kill("SIGKILL")
    await exited
  }
  const deadline = Date.now() + 120_000
  const { until } = options
  const isUp = () => (until === undefined ? accepts(port) : answers(port, until))
  while (!(await isUp())) {
    if (child.exitCode !== null || child.signalCode !== null) {
      // The pipe may hold more than was read when the process ended.
      await pause(50)
      const reason = /^\w*Error.*$/m.exec(stderr)?.[0] ?? stderr.trim()
      throw new Error(`${peer.name} did not start: ${reason || `exit ${child.exitCode}`}`)
    }
    if (Date.now() > deadline) {
      await stop()
      throw new Error(`${peer.name} did not listen within two minutes`)
    }
    await pause(until === undefined ? 5 : 1)
  }
  const startMillis = performance.now() - started
  return {
    cpu: () => [child.pid!, ...childrenOf(child.pid!)].reduce((sum, pid) => sum + cpuOf(pid), 0),
    peer,
    port,
    rss: () => {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8")
      return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) * 1024
    },
    startMillis,
    stdout: () => stdout,
    stop
  }
}
