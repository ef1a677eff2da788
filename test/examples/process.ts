/** Examples as processes: what `npm start` runs, with the sources. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { type AddressInfo, createServer } from "node:net"
import { join } from "node:path"
import { expect } from "vitest"

/** The folder of the repository. */
export const root = join(import.meta.dirname, "../..")

/** A port that nothing listens on. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}

/** A Node process. */
export interface Process {
  readonly child: ChildProcess
  readonly exitCode: Promise<number | null>
  /** What it wrote so far, to both streams. */
  readonly output: () => string
}

/** Runs a program with the Node of the repository; its database is in memory unless `env` names one. */
export const node = (args: ReadonlyArray<string>, env: Record<string, string> = {}): Process => {
  const child = spawn(
    join(root, "node_modules/.bin/node"),
    ["--conditions=flange-source", ...args],
    {
      cwd: root,
      env: { ...process.env, DATABASE_URL: "pglite://memory", ...env },
      stdio: ["ignore", "pipe", "pipe"]
    }
  )
  let output = ""
  child.stdout.on("data", (chunk) => (output += chunk))
  child.stderr.on("data", (chunk) => (output += chunk))
  return {
    child,
    // "close" comes after both streams have ended.
    exitCode: once(child, "close").then(([code]) => code),
    output: () => output
  }
}

/** Waits until a URL answers 200, or throws what the process wrote when it ends before that. */
export const serving = async ({ child, output }: Process, url: string): Promise<void> => {
  const answers = () =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false
    )
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}:\n${output()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Runs a program, does something while it serves, and expects a clean end. */
export const whileServing = async (
  main: string,
  env: Record<string, string>,
  use: (url: string, server: Process) => Promise<void>
) => {
  const port = await freePort()
  const server = node([main], { ...env, PORT: String(port) })
  const url = `http://127.0.0.1:${port}`
  try {
    await serving(server, `${url}/readyz`)
    await use(url, server)
    server.child.kill("SIGTERM")
    expect(await server.exitCode, server.output()).toBe(0)
  } finally {
    server.child.kill("SIGKILL")
  }
}
