/** The codec and the listener that a run of the tests is for: variables `TEST_CODEC` and `TEST_LISTENER`. */

import { bareEnvironment } from "../environment.ts"

const chosen = <const A extends string>(variable: string, values: readonly [A, ...Array<A>]): A => {
  const given = process.env[variable] ?? values[0]
  const value = values.find((each) => each === given)
  if (value !== undefined) return value
  throw new Error(`${variable} is "${given}". Use one of: ${values.join(", ")}.`)
}

/** Every codec, that of production first. */
export const codecs = ["compiled", "effect"] as const

/** Every listener, that of `TestApp.make` first. */
export const listeners = ["web", "node", "node-h2", "proxied"] as const

/** The listeners of other runtimes. A run for one of them is a run of Vitest under that runtime. */
export const runtimes = ["bun", "deno"] as const

/** What decodes requests and encodes replies, if an endpoint could have either. */
export const codec: (typeof codecs)[number] = chosen("TEST_CODEC", codecs)

/** What `TestApp.make` boots apps on. */
export const listener = chosen("TEST_LISTENER", [...listeners, ...runtimes])

/** The runtime that this run is for, if it is not Node. */
export const runtime = runtimes.find((name) => name === listener)

/** What apps listen with if their configuration names no listener. */
export const socketListener: "auto" | "node" | "proxied" =
  listener === "proxied" ? "proxied" : runtime === undefined ? "node" : "auto"

/** Whether clients of apps that listen speak HTTP/2, without TLS. */
export const h2c: boolean = listener === "node-h2"

/** The variables that put a process with an environment of its own into the same combination. */
export const environment: Readonly<Record<string, string | undefined>> = {
  ...bareEnvironment,
  NODE_OPTIONS: process.env["NODE_OPTIONS"],
  TEST_CODEC: process.env["TEST_CODEC"],
  TEST_LISTENER: process.env["TEST_LISTENER"]
}
