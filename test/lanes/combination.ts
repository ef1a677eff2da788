/** The lane and the listener that a run of the tests is for: variables `TEST_LANE` and `TEST_LISTENER`. */

const chosen = <const A extends string>(variable: string, values: readonly [A, ...Array<A>]): A => {
  const given = process.env[variable] ?? values[0]
  const value = values.find((each) => each === given)
  if (value !== undefined) return value
  throw new Error(`${variable} is "${given}". Use one of: ${values.join(", ")}.`)
}

/** Every lane, that of production first. */
export const lanes = ["compiled", "general"] as const

/** Every listener, that of `TestApp.make` first. */
export const listeners = ["web", "node", "proxied"] as const

/** What executes endpoints. */
export const lane: (typeof lanes)[number] = chosen("TEST_LANE", lanes)

/** What `TestApp.make` boots apps on. */
export const listener: (typeof listeners)[number] = chosen("TEST_LISTENER", listeners)

/** What apps listen with whose configuration does not say it. */
export const socketListener: "node" | "proxied" = listener === "proxied" ? "proxied" : "node"

/** What a process is given, beside what it needs itself, so that its apps are in the combination too. */
export const environment: Readonly<Record<string, string | undefined>> = {
  NODE_OPTIONS: process.env["NODE_OPTIONS"],
  TEST_LANE: process.env["TEST_LANE"],
  TEST_LISTENER: process.env["TEST_LISTENER"]
}
