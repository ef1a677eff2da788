/** The server has one core for itself, the client another. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { availableParallelism } from "node:os"

const hasTaskset = spawnSync("taskset", ["--version"]).status === 0

/** Whether servers and client are kept on different cores. */
export const pinned = hasTaskset && availableParallelism() > 1

/** A command that runs on this core only. */
export const on = (
  core: "client" | "server",
  command: string,
  parameters: ReadonlyArray<string>
): readonly [command: string, parameters: ReadonlyArray<string>] =>
  pinned
    ? ["taskset", ["-c", core === "server" ? "0" : "1", command, ...parameters]]
    : [command, parameters]

const busy = () => {
  const [user, nice, system, idle, wait, irq, soft, steal] = readFileSync("/proc/stat", "utf8")
    .split("\n", 1)[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number) as [number, number, number, number, number, number, number, number]
  const work = user + nice + system + irq + soft + steal
  return { all: work + idle + wait, work }
}

/** The share of all cores that others used in the given time, 0 to 1; undefined where nobody can tell. */
export const others = async (millis: number): Promise<number | undefined> => {
  try {
    const before = busy()
    await new Promise((resolve) => setTimeout(resolve, millis))
    const after = busy()
    return (after.work - before.work) / Math.max(1, after.all - before.all)
  } catch {
    return undefined
  }
}
