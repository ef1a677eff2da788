/** Starts example and fixture apps as real processes. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** A started process that prints `listening <url>`. */
export interface Running {
  readonly child: ChildProcess
  readonly exit: Promise<number | null>
  readonly output: () => string
  readonly url: string
}

/** Runs a TypeScript file of the repository with the pinned Node, and waits until it listens. */
export const start = async (
  file: string,
  env: Readonly<Record<string, string>> = {}
): Promise<Running> => {
  const child = spawn(`${root}/node_modules/.bin/node`, ["--conditions=flange-source", file], {
    cwd: root,
    env: { ...process.env, HOST: "127.0.0.1", PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let output = ""
  const exit = once(child, "exit").then(([code]) => code as number | null)
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const line = /listening (http\S+)/.exec(output)
      if (line !== null) resolve(line[1]!)
    }
    child.stdout!.on("data", read)
    child.stderr!.on("data", read)
    void exit.then((code) => reject(new Error(`${file} exited with ${code}:\n${output}`)))
  })
  return { child, exit, output: () => output, url }
}
