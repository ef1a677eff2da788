/**
 * Loaded into the server's process before its own program (`NODE_OPTIONS=--import`): answers, on a
 * unix socket, what the process has spent since it was asked last.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { monitorEventLoopDelay } from "node:perf_hooks"

/** What a process has spent. */
export interface Spent {
  /** CPU time of all threads, in seconds. */
  readonly cpu: number
  /** The longest time that the event loop was blocked, in milliseconds. */
  readonly delay: number
  /** The most resident memory above what it held when it was asked before, in bytes. */
  readonly memory: number
}

const path = process.env["HOSTILE_PROBE"]

const resident = (line: "VmHWM" | "VmRSS"): number =>
  Number(
    new RegExp(`^${line}:\\s+(\\d+)`, "m").exec(readFileSync("/proc/self/status", "utf8"))![1]
  ) * 1024

if (path !== undefined) {
  // Workers and child processes are not what is measured.
  delete process.env["HOSTILE_PROBE"]
  delete process.env["NODE_OPTIONS"]
  const delays = monitorEventLoopDelay({ resolution: 1 })
  delays.enable()
  let cpu = process.cpuUsage()
  let held = 0
  createServer((socket) => {
    socket.unref()
    socket.on("error", () => {})
    socket.on("data", () => {
      const { system, user } = process.cpuUsage(cpu)
      const spent: Spent = {
        cpu: (system + user) / 1e6,
        delay: delays.max / 1e6,
        memory: resident("VmHWM") - held
      }
      // Sets the peak back to what the process holds now. Source: proc(5), clear_refs.
      writeFileSync("/proc/self/clear_refs", "5")
      held = resident("VmRSS")
      delays.reset()
      cpu = process.cpuUsage()
      socket.end(JSON.stringify(spent))
    })
  })
    .listen(path)
    .unref()
}
