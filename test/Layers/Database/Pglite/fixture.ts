import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"

const root = join(import.meta.dirname, "../../../..")

/** Starts a program of `fixtures` in a process of its own. */
export const fixture = (
  name: string,
  args: ReadonlyArray<string>,
  options: { readonly cwd?: string; readonly env?: Record<string, string> } = {}
) => {
  const child = spawn(
    `${root}/node_modules/.bin/node`,
    ["--conditions=flange-source", join(import.meta.dirname, "fixtures", name), ...args],
    {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"]
    }
  )
  let output = ""
  child.stderr.on("data", (chunk) => (output += chunk))
  const exited = once(child, "close")
  const said = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      child.stdout.on("data", (chunk) => {
        output += chunk
        const found = pattern.exec(output)
        if (found !== null) resolve(found[0])
      })
      void exited.then(() => reject(new Error(output)))
    })
  return { child, exited, output: () => output, said }
}
