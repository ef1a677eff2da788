/** The companions of the app: processes that stay while it restarts. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Report } from "../../Plugin/Companion.ts"

/** How long a companion may take to end. */
const patienceMillis = 5000

/** Runs a program with an argument, unless it runs already. Returns what it reports. */
export type Companions = (program: string, argument: string) => Promise<Report>

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMillis)
  if (child.connected) child.disconnect()
  await once(child, "exit")
  clearTimeout(timer)
}

/** Returns what a companion reports next, or how it has ended. */
const reported = async (child: ChildProcess): Promise<Report | string> => {
  const over = new AbortController()
  try {
    return await Promise.race([
      once(child, "message", over).then(([report]): Report => report),
      once(child, "exit", over).then(([code, signal]) => signal ?? `exit code ${code}`)
    ])
  } finally {
    over.abort()
  }
}

/** Creates the function that runs companions. They end with the scope. */
export const make: Effect.Effect<Companions, never, Scope.Scope> = Effect.gen(function* () {
  const running = new Map<string, ChildProcess>()
  yield* Effect.addFinalizer(() =>
    Effect.promise(() => Promise.all([...running.values()].map(ended)))
  )
  const companions: Companions = async (program, argument) => {
    const key = `${program} ${argument}`
    const existing = running.get(key)
    if (existing === undefined) {
      const child = fork(program, [argument], { stdio: ["ignore", "inherit", "inherit", "ipc"] })
      running.set(key, child)
      child.once("exit", () => running.delete(key))
      const report = await reported(child)
      return typeof report === "string"
        ? { error: { reason: `its process ended: ${report}` } }
        : report
    }
    // It reports again, or ends.
    if (existing.connected) existing.send("report", () => {})
    const report = await reported(existing)
    return typeof report === "string" ? companions(program, argument) : report
  }
  return companions
})
