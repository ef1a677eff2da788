/** The app of `fixtures/app.ts` as a process. */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { afterEach } from "vitest"
import { environment } from "../matrix/combination.ts"

const running = new Set<ChildProcess>()

afterEach(() => {
  for (const child of running) child.kill("SIGKILL")
})

interface Options {
  readonly port?: number
  readonly variables?: Readonly<Record<string, string>>
}

/** Starts it with what is special about it, at the plugin of this position. */
export const start = (
  special: string,
  position: number,
  { port = 0, variables = {} }: Options = {}
) => {
  const child = spawn(
    join(import.meta.dirname, "../../node_modules/.bin/node"),
    [
      "--conditions=flange-source",
      join(import.meta.dirname, "fixtures/app.ts"),
      special,
      String(position)
    ],
    {
      env: { ...environment, PORT: String(port), ...variables },
      stdio: "pipe"
    }
  )
  running.add(child)
  const output = { err: "", out: "" }
  const watchers = new Set<() => void>()
  const exited = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      running.delete(child)
      resolve(code)
      for (const look of watchers) look()
    })
  })
  child.stderr.on("data", (chunk: Buffer) => (output.err += chunk.toString()))
  child.stdout.on("data", (chunk: Buffer) => {
    output.out += chunk.toString()
    for (const look of watchers) look()
  })
  /** Waits until a line of its output matches; gives what the pattern captures. */
  const said = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(output.out)
        if (match !== null) resolve(match[1] ?? match[0])
        else if (!running.has(child)) {
          reject(new Error(`exited before ${String(pattern)}: ${output.out}${output.err}`))
        }
      }
      watchers.add(look)
      look()
    })
  return {
    exited,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    output,
    released: () => output.out.match(/(?<=^release )p\d$/gm) ?? [],
    said
  }
}

/** Matches the line that it writes when it is ready, and captures its address. */
export const ready = /^ready (\S+)$/m

/** Returns the ids of its first plugins in reverse. */
export const reversed = (count: number) => ["p3", "p2", "p1"].slice(3 - count)
