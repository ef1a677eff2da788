/** Checks of the machine and of the limits of the process. */
import { lookup } from "node:dns/promises"
import { existsSync, readFileSync, statfsSync } from "node:fs"
import { availableParallelism, totalmem } from "node:os"
import { join } from "node:path"
import { getHeapStatistics } from "node:v8"
import * as Effect from "effect/Effect"
import { isLoopback } from "../../Config/Loopback.ts"
import * as Doctor from "../../Plugin/Doctor.ts"
import type { Check } from "./Check.ts"

const mebibyte = 1024 * 1024

const shown = (bytes: number): string =>
  bytes >= 1024 * mebibyte
    ? `${(bytes / 1024 / mebibyte).toFixed(1)} GiB`
    : `${Math.round(bytes / mebibyte)} MiB`

/** Returns the text of a file of the kernel; undefined on another system. */
const kernel = (file: string): string | undefined =>
  existsSync(file) ? readFileSync(file, "utf8") : undefined

/** Files that a process opens besides its connections. */
const besides = 200

/** Compares the files that the process may open with the connections that the server takes. */
export const openFiles = (limits: string | undefined, connections: number): Doctor.Finding => {
  const soft = /^Max open files +(\w+)/m.exec(limits ?? "")?.[1]
  if (soft === undefined) return Doctor.skipped("This system has no /proc/self/limits.")
  const wanted = connections + besides
  return soft === "unlimited" || Number(soft) >= wanted
    ? Doctor.ok(`The process may open ${soft} files, for ${connections} connections.`)
    : Doctor.warning(
        `The process may open ${soft} files, and server.maxConnections is ${connections}: the server cannot take so many.`,
        `Raise the limit (ulimit -n ${wanted}, or LimitNOFILE of systemd), or set server.maxConnections below ${Math.max(1, Number(soft) - besides)}`
      )
}

/** Compares the heap of Node with the memory that the process may use. */
export const memory = (heap: number, limit: number): Doctor.Finding =>
  heap <= limit * 0.9
    ? Doctor.ok(`The heap may grow to ${shown(heap)} of ${shown(limit)} of memory.`)
    : Doctor.warning(
        `The heap may grow to ${shown(heap)}, and the process has ${shown(limit)} of memory: the kernel would kill it without a word in the log.`,
        `Set NODE_OPTIONS=--max-old-space-size=${Math.max(1, Math.floor((limit * 0.75) / mebibyte))}`
      )

/** Reads the quota of a control group, such as `50000 100000`. */
export const cpu = (quota: string | undefined, cores: number): Doctor.Finding => {
  const [time, period] = (quota ?? "max").trim().split(" ").map(Number)
  const share = time! / period!
  return share < 1
    ? Doctor.warning(
        `The quota of the container is ${share} CPU: the process stands still for the rest of each period, and replies wait.`,
        "Give the container 1 CPU at least, or no limit but a request."
      )
    : Doctor.ok(
        `The process has ${Number.isNaN(share) ? cores : Math.min(cores, share)} of ${cores} CPUs.`
      )
}

/** The connections that Node asks the kernel to keep waiting. Source: Node's net.Server.listen. */
const asked = 511

/** Compares the connections that the kernel keeps waiting with those that Node asks for. */
export const backlog = (somaxconn: string | undefined): Doctor.Finding => {
  if (somaxconn === undefined) return Doctor.skipped("This system has no net.core.somaxconn.")
  return Number(somaxconn) >= asked
    ? Doctor.ok(`net.core.somaxconn is ${somaxconn.trim()}.`)
    : Doctor.warning(
        `net.core.somaxconn is ${somaxconn.trim()}: in a burst the kernel drops connections before the server sees them.`,
        `sysctl -w net.core.somaxconn=4096`
      )
}

const disk = (folder: string): Doctor.Finding => {
  const place = existsSync(join(folder, ".flange")) ? join(folder, ".flange") : folder
  const { bavail, bsize } = statfsSync(place)
  const free = bavail * bsize
  if (free >= 1024 * mebibyte) return Doctor.ok(`${place} has ${shown(free)} of free space.`)
  const found = `${place} has ${shown(free)} of free space.`
  const remedy = "Delete what is not needed, or move the folder to another disk."
  return free < 100 * mebibyte ? Doctor.failed(found, remedy) : Doctor.warning(found, remedy)
}

const localhost = Effect.gen(function* () {
  const found = yield* Effect.tryPromise(() => lookup("localhost", { all: true })).pipe(
    Effect.orElseSucceed(() => [])
  )
  const addresses = found.map(({ address }) => address)
  const remedy = "Write the line 127.0.0.1 localhost into /etc/hosts"
  const foreign = addresses.filter((address) => !isLoopback(address))
  if (addresses.length === 0) return Doctor.failed("The name localhost has no address.", remedy)
  if (foreign.length > 0) {
    return Doctor.failed(
      `The name localhost leads to ${foreign.join(", ")}, which is another machine.`,
      remedy
    )
  }
  return addresses.includes("127.0.0.1")
    ? Doctor.ok(`localhost is ${addresses.join(", ")}.`)
    : Doctor.warning(
        `localhost is ${addresses.join(", ")} alone, and a server listens on IPv4 by default.`,
        remedy
      )
})

/** Returns the checks of this machine. `connections` is the value of `server.maxConnections`. */
export const checks = (folder: string, connections: number): ReadonlyArray<Check> => [
  {
    name: "open-files",
    run: Effect.sync(() => openFiles(kernel("/proc/self/limits"), connections))
  },
  {
    name: "memory",
    run: Effect.sync(() => {
      // Without a control group it is 0 or more than the machine has.
      const constrained = process.constrainedMemory()
      const total = totalmem()
      const limit = constrained === 0 ? total : Math.min(constrained, total)
      return memory(getHeapStatistics().heap_size_limit, limit)
    })
  },
  {
    name: "cpu",
    run: Effect.sync(() => cpu(kernel("/sys/fs/cgroup/cpu.max"), availableParallelism()))
  },
  { name: "backlog", run: Effect.sync(() => backlog(kernel("/proc/sys/net/core/somaxconn"))) },
  { name: "disk", run: Effect.sync(() => disk(folder)) },
  { name: "localhost", run: localhost }
]
