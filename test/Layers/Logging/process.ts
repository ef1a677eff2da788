/** The process of `fixture.ts`, which logs at every stage of its life. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** Starts the process and waits until it listens. */
export const start = async (env: Readonly<Record<string, string>>) => {
  const child = spawn(
    `${root}/node_modules/.bin/node`,
    ["--conditions=flange-source", "test/Layers/Logging/fixture.ts"],
    {
      cwd: root,
      env: { ...process.env, HOST: "127.0.0.1", PORT: "0", ...env },
      stdio: ["ignore", "pipe", "pipe"]
    }
  )
  let [stdout, stderr] = ["", ""]
  child.stderr.on("data", (chunk) => (stderr += chunk))
  const exit = once(child, "close")
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      stdout += chunk
      const found = /listens on (http:\/\/[\d.:]+)/.exec(stdout)
      if (found !== null) resolve(found[1]!)
    })
    void exit.then(() => reject(new Error(stdout + stderr)))
  })
  return { child, exit, stderr: () => stderr, stdout: () => stdout, url }
}
