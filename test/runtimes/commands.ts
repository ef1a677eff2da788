/** The commands of the runtimes beside Node, from the package in `install`. */
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

const installed = (path: string) =>
  fileURLToPath(new URL(`install/node_modules/${path}`, import.meta.url))

const bun = installed("bun/bin/bun.exe")
const deno = installed("deno/deno")
const node = fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url))

/** The command of each runtime, and the parameters in front of a script that finds the sources. */
export const commands = {
  bun: { command: bun, parameters: ["--conditions=flange-source"] },
  deno: {
    command: deno,
    parameters: ["run", "-A", "--node-modules-dir=manual", "--conditions=flange-source"]
  },
  node: { command: node, parameters: ["--conditions=flange-source"] }
} as const

/** The name of a runtime. */
export type Name = keyof typeof commands

/** Returns why a runtime cannot be started; undefined if it can. */
export const obstacle = (name: Name): string | undefined =>
  existsSync(commands[name].command)
    ? undefined
    : `${name} is not installed. Run: npm ci --prefix test/runtimes/install`
