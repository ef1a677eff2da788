import { parseArgs } from "node:util"
import * as Load from "./Load.ts"
import * as Peers from "./Peers.ts"
import type { Tier } from "./Workload.ts"

export interface Options {
  readonly client: Load.Client
  /** Options of Node for every server. */
  readonly nodeOptions: ReadonlyArray<string>
  /** Whether only some peers or one tier were asked for. */
  readonly partial: boolean
  readonly peers: ReadonlyArray<Peers.Peer>
  readonly quick: boolean
  readonly rounds: number
  readonly seconds: number
  readonly tiers: ReadonlyArray<Tier>
}

/** The command line of every script: what is given wins over `quick`, that over the defaults. */
export const parse = (defaults: {
  readonly quick: { readonly rounds: number; readonly seconds: number }
  readonly rounds: number
  readonly seconds: number
}): Options => {
  const { values } = parseArgs({
    options: {
      client: { type: "string" },
      "node-options": { default: "", type: "string" },
      peers: { type: "string" },
      quick: { default: false, type: "boolean" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      tier: { type: "string" }
    }
  })
  const { client = Load.available, tier } = values
  if (client !== "autocannon" && client !== "wrk") {
    throw new Error(`--client ${client}: write wrk or autocannon`)
  }
  if (tier !== undefined && tier !== "bare" && tier !== "production") {
    throw new Error(`--tier ${tier}: write bare or production`)
  }
  const count = (name: "rounds" | "seconds") => {
    const text = values[name]
    if (text === undefined) return (values.quick ? defaults.quick : defaults)[name]
    if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name} ${text}: write a whole number above 0`)
    return Number(text)
  }
  return {
    client,
    nodeOptions: values["node-options"].split(" ").filter(Boolean),
    partial: tier !== undefined || values.peers !== undefined,
    peers: Peers.select(values.peers?.split(",")),
    quick: values.quick,
    rounds: count("rounds"),
    seconds: count("seconds"),
    tiers: tier === undefined ? ["bare", "production"] : [tier]
  }
}
