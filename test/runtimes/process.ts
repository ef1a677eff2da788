/** Starts the app of this folder on a runtime, and talks to it. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as Net from "node:net"
import { fileURLToPath } from "node:url"
import { commands, type Name, obstacle } from "./commands.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The runtimes that the tests run on. Says why it leaves one out. */
export const available: ReadonlyArray<Name> = (["bun", "deno"] as const).filter((name) => {
  const problem = obstacle(name)
  if (problem === undefined) return true
  if (process.env["CI_SERVICES"] === "required") throw new Error(problem)
  process.stdout.write(`Skipped: the listener on ${name} (${problem})\n`)
  return false
})

/** A started app. */
export interface Running {
  readonly child: ChildProcess
  readonly exit: Promise<number | null>
  readonly output: () => string
  readonly port: number
  /** Waits for a line of the output. */
  readonly said: (line: RegExp) => Promise<RegExpExecArray>
  readonly url: string
}

/** Starts an app, and waits until it listens; rejects with its output if it exits before. */
export const start = async (
  name: Name,
  variables: Readonly<Record<string, string>> = {}
): Promise<Running> => {
  const { command, parameters } = commands[name]
  const child = spawn(command, [...parameters, "test/runtimes/fixtures/app.ts"], {
    cwd: root,
    env: { ...process.env, HOST: "127.0.0.1", NODE_OPTIONS: "", PORT: "0", ...variables },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let output = ""
  const waiting = new Set<() => void>()
  const read = (chunk: Buffer) => {
    output += chunk.toString()
    for (const look of waiting) look()
  }
  child.stdout.on("data", read)
  child.stderr.on("data", read)
  const exit = once(child, "close").then(([code]) => code as number | null)
  const said = (line: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const found = line.exec(output)
        if (found === null) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
      void exit.then((code) => {
        look()
        reject(new Error(`${name} exited with ${code}, and not with ${line}:\n${output}`))
      })
    })
  const [, url] = await said(/listening (http\S+)/)
  return { child, exit, output: () => output, port: Number(new URL(url!).port), said, url: url! }
}

/** Sends bytes, in which `^` stands for CRLF, and returns everything until the connection closes. */
export const send = (port: number, bytes: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = Net.connect(port, "127.0.0.1")
    let received = ""
    socket.on("data", (chunk) => (received += chunk.toString("latin1")))
    socket.on("error", () => {})
    socket.on("close", () => resolve(received))
    socket.write(Buffer.from(bytes.replaceAll("^", "\r\n"), "latin1"))
  })
