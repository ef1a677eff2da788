/** The companions of the app: processes that stay while it restarts. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Report } from "../../Plugin/Companion.ts"

/** How long a companion may take to end. */
const patienceMillis = 5000

/** Runs a program with an argument, unless it runs already. Returns what it has reported. */
export type Companions = (program: string, argument: string) => Promise<Report>

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMillis)
  if (child.connected) child.disconnect()
  await once(child, "exit")
  clearTimeout(timer)
}

/** Creates the function that runs companions. They end with the scope. */
export const make: Effect.Effect<Companions, never, Scope.Scope> = Effect.gen(function* () {
  const running = new Map<
    string,
    { readonly child: ChildProcess; readonly report: Promise<Report> }
  >()
  yield* Effect.addFinalizer(() =>
    Effect.promise(() => Promise.all([...running.values()].map(({ child }) => ended(child))))
  )
  return (program, argument) => {
    const key = `${program} ${argument}`
    const existing = running.get(key)
    if (existing !== undefined) return existing.report
    const child = fork(program, [argument], { stdio: ["ignore", "inherit", "inherit", "ipc"] })
    const report = new Promise<Report>((done) => {
      child.once("message", (message: Report) => done(message))
      child.once("exit", (code, signal) => {
        running.delete(key)
        done({ error: { reason: `its process ended: ${signal ?? `exit code ${code}`}` } })
      })
    })
    running.set(key, { child, report })
    return report
  }
})
