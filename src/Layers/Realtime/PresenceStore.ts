/**
 * Where the members of all replicas are kept, and the store of one process.
 *
 * A process has a node: a random id with a lease, which one heartbeat renews for all of its members. The
 * members of a node whose lease has ended are not listed. A process that has lost its lease takes another
 * node and writes its members again, so nothing that removes the old node can remove them.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { BroadcastUnavailable } from "./BroadcastErrors.ts"

/** A member in one process. */
export interface Row {
  /** The JSON text of the id of the member, which may have any characters. */
  readonly id: string
  readonly node: string
  /** What is known of the member, as JSON. */
  readonly value: string
}

/** A member to write, or to remove if it has no value. */
export interface Change {
  readonly address: string
  readonly id: string
  readonly value: string | undefined
}

/** Keeps members. Leases are in milliseconds, on the clock of the store. */
export interface Store {
  /** Removes nodes whose lease has ended, with their members. Returns whether more may be there. */
  readonly prune: Effect.Effect<boolean, BroadcastUnavailable>
  /** Begins the lease of a node. */
  readonly register: (node: string, lease: number) => Effect.Effect<void, BroadcastUnavailable>
  /** Removes a node with its members. */
  readonly remove: (node: string) => Effect.Effect<void, BroadcastUnavailable>
  /**
   * Renews the lease of a node, and returns the nodes that have one. Without this node it has ended, and
   * stays so.
   */
  readonly renew: (
    node: string,
    lease: number
  ) => Effect.Effect<ReadonlyArray<string>, BroadcastUnavailable>
  /** Returns the members at an address of the nodes that have a lease. */
  readonly rows: (address: string) => Effect.Effect<ReadonlyArray<Row>, BroadcastUnavailable>
  /** Writes and removes members of a node. Fails if the node was removed. */
  readonly write: (
    node: string,
    changes: ReadonlyArray<Change>
  ) => Effect.Effect<void, BroadcastUnavailable>
}

/** The error of a write for a node that was removed. */
export const leaseEnded = new BroadcastUnavailable({
  cause: "the lease of this process has ended",
  operation: "write members"
})

interface Node {
  expiresAt: number
  readonly members: Map<string, Map<string, string>>
}

/** Makes a store in memory. Several services may share it, as replicas do in a test. */
export const inMemory = (): Store => {
  const nodes = new Map<string, Node>()
  const now = Clock.currentTimeMillis
  const live = (time: number) => [...nodes].filter(([, { expiresAt }]) => expiresAt > time)
  return {
    prune: Effect.map(now, (time) => {
      for (const [id, { expiresAt }] of nodes) if (expiresAt <= time) nodes.delete(id)
      return false
    }),
    register: (node, lease) =>
      Effect.map(now, (time) => {
        nodes.set(node, { expiresAt: time + lease, members: new Map() })
      }),
    remove: (node) => Effect.sync(() => void nodes.delete(node)),
    renew: (node, lease) =>
      Effect.map(now, (time) => {
        const found = nodes.get(node)
        if (found !== undefined && found.expiresAt > time) found.expiresAt = time + lease
        return live(time).map(([id]) => id)
      }),
    rows: (address) =>
      Effect.map(now, (time) =>
        live(time).flatMap(([node, { members }]) =>
          [...(members.get(address) ?? [])].map(([id, value]) => ({ id, node, value }))
        )
      ),
    write: (node, changes) =>
      Effect.suspend(() => {
        const members = nodes.get(node)?.members
        if (members === undefined) return Effect.fail(leaseEnded)
        for (const { address, id, value } of changes) {
          const there = members.get(address)
          if (value === undefined) {
            there?.delete(id)
            if (there?.size === 0) members.delete(address)
          } else if (there === undefined) members.set(address, new Map([[id, value]]))
          else there.set(id, value)
        }
        return Effect.void
      })
  }
}
