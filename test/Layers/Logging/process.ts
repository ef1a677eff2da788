/** The process of `fixture.ts`, which logs at every stage of its life. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync, statSync } from "node:fs"
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
  child.stdout.on("data", (chunk) => (stdout += chunk))
  let isOver = false
  void exit.then(() => (isOver = true))
  const file = env["FLANGE__LOGGING__FILE"]
  let url: string | undefined
  await until(() => {
    const text = stdout + stderr + (file === undefined ? "" : readIfThere(file))
    url = /listens on (http:\/\/[\d.:]+)/.exec(text)?.[1]
    return url !== undefined || isOver
  })
  if (url === undefined) throw new Error(stdout + stderr)
  return { child, exit, stderr: () => stderr, stdout: () => stdout, url }
}

const readIfThere = (file: string): string => {
  try {
    return statSync(file).isFile() ? readFileSync(file, "utf8") : ""
  } catch {
    return ""
  }
}

/** Waits until something is so. */
export const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5))
}
