/** Starts a process for each role, and ends them together: see main.ts. */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"

if (process.env["DATABASE_URL"] === undefined) {
  process.stderr.write(
    "Set DATABASE_URL to a PostgreSQL database: three processes cannot share PGlite\n"
  )
  process.exit(1)
}

const first = Number(process.env["PORT"] ?? 8080)
const children = new Set<ChildProcess>()
let isStopping = false

/** Ends all processes, once: a second SIGTERM stops a process without its drain. */
const stop = (): void => {
  if (isStopping) return
  isStopping = true
  for (const child of children) child.kill("SIGTERM")
}

for (const [index, role] of ["server", "worker", "scheduler"].entries()) {
  const child = spawn(
    process.execPath,
    [...process.execArgv, join(import.meta.dirname, "main.ts")],
    { env: { ...process.env, FLANGE_ROLE: role, PORT: String(first + index) }, stdio: "inherit" }
  )
  children.add(child)
  process.stdout.write(`${role} ${child.pid} on port ${first + index}\n`)
  child.once("exit", (code, signal) => {
    children.delete(child)
    process.stdout.write(`${role} ${child.pid} ended with ${code ?? signal}\n`)
    // A process that was killed is replaced by hand, as its orchestrator would do. A failed start ends all.
    if (code !== 0 && signal === null) process.exitCode = code!
    if (code !== null) stop()
  })
}

process.on("SIGTERM", stop)
process.on("SIGINT", () => {
  // Ctrl-C in a terminal reaches the children too.
  isStopping = true
})
