/** All peers of a run, started together and measured in turn. */
import * as Check from "./Check.ts"
import * as Load from "./Load.ts"
import type { Options } from "./Options.ts"
import type * as Peers from "./Peers.ts"
import * as Server from "./Server.ts"
import type { Endpoint, Tier } from "./Workload.ts"

export interface Fleet {
  readonly servers: ReadonlyArray<Server.Server>
  readonly stop: () => Promise<unknown>
  /** Peers that this tree cannot start yet, with the reason. */
  readonly unavailable: ReadonlyArray<{ readonly peer: string; readonly reason: string }>
}

const reasonOf = (error: unknown) =>
  String(error instanceof Error ? error.message : error)
    .replaceAll(/\s+/g, " ")
    .slice(0, 300)

/** Checks each peer's answers, then starts those that passed. Fails where one that must run does not. */
export const start = async (
  peers: ReadonlyArray<Peers.Peer>,
  tier: Tier,
  options: { readonly arguments?: ReadonlyArray<string>; readonly check?: boolean } = {}
): Promise<Fleet> => {
  const servers: Array<Server.Server> = []
  const unavailable: Array<Fleet["unavailable"][number]> = []
  for (const peer of peers) {
    try {
      if (options.check !== false) await Check.check(peer, tier)
      servers.push(await Server.start(peer, { arguments: options.arguments ?? [], tier }))
    } catch (error) {
      if (!peer.optional) throw error
      unavailable.push({ peer: peer.name, reason: reasonOf(error) })
    }
  }
  for (const { peer, reason } of unavailable) console.log(`not measured: ${peer}: ${reason}`)
  return { servers, stop: () => Promise.all(servers.map((server) => server.stop())), unavailable }
}

export interface Rates {
  /** Requests per second of the server's CPU time: what other programs on its core change little. */
  readonly perCpu: number
  /** Requests per second. */
  readonly rate: number
}

/** How much of an endpoint a server answers. */
export const rates = async (
  server: Server.Server,
  endpoint: Endpoint,
  { client, seconds }: Options
): Promise<Rates> => {
  const before = server.cpu()
  const { rate, requests } = await Load.run(client, server.port, endpoint, seconds)
  return { perCpu: requests / (server.cpu() - before), rate }
}

/** One after the other, beginning with another in each round, so that no place is better than others. */
export const turn = <A>(all: ReadonlyArray<A>, round: number): ReadonlyArray<A> => {
  const first = round % Math.max(1, all.length)
  return [...all.slice(first), ...all.slice(0, first)]
}

/** Lets each server compile what it will run. */
export const warmUp = async (
  fleet: Fleet,
  endpoints: ReadonlyArray<Endpoint>,
  { client, quick }: Options
): Promise<void> => {
  for (const server of fleet.servers) {
    for (const endpoint of endpoints) {
      await Load.run(client, server.port, endpoint, quick ? 1 : 3)
    }
  }
}
