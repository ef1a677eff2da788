/** The members of this process: it writes them, tells the others, and keeps them alive. */
import { randomUUID } from "node:crypto"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Metering from "../../Plugin/Metering.ts"
import type { Letter } from "./BroadcastBus.ts"
import type { BroadcastUnavailable } from "./BroadcastErrors.ts"
import type { Hub } from "./BroadcastHub.ts"
import type { Change, Store } from "./PresenceStore.ts"
import type { Told } from "./PresenceView.ts"

/** The times of a node, in milliseconds. */
export interface Options {
  readonly heartbeat: number
  readonly lease: number
}

/** The node of a process. */
export interface PresenceNode {
  /** Adds a connection of a member until the scope closes. */
  readonly join: (
    address: string,
    id: string,
    value: string
  ) => Effect.Effect<void, never, Scope.Scope>
  /** Calls a function after each heartbeat with the live nodes, and the round in which they were read. */
  readonly onBeat: (
    listener: (live: ReadonlySet<string>, round: number) => void
  ) => Effect.Effect<void, never, Scope.Scope>
  /** The number of the present round of heartbeats. */
  readonly round: () => number
}

/** A member with the values of its connections in this process, the latest at the end. */
interface Member {
  readonly address: string
  readonly connections: Array<{ readonly value: string }>
  readonly id: string
  /** What the others were told last: undefined that it is not here, null if that is not known. */
  told: string | null | undefined
}

/** How many members one write has at most. */
const batch = 500

/** How many bytes of members one message to the others has, about. */
const letterSize = 2 ** 15

const longestWait = 5000

/** Returns the messages that tell of changes, in their order. */
const lettersOf = (node: string, changes: ReadonlyArray<Change>): ReadonlyArray<Letter> => {
  const letters: Array<Letter> = []
  for (const [address, all] of Map.groupBy(changes, (change) => change.address)) {
    let told: Array<Told> = []
    let size = 0
    const close = () => {
      if (told.length > 0) letters.push({ address, text: JSON.stringify([node, told]) })
      told = []
      size = 0
    }
    for (const { id, value } of all) {
      told.push([id, value ?? null])
      size += 3 * (id.length + (value?.length ?? 0))
      if (size > letterSize) close()
    }
    close()
  }
  return letters
}

/** Creates the node of a process. When the scope closes, its members leave. */
export const make = (
  store: Store,
  hub: Hub,
  { heartbeat, lease }: Options
): Effect.Effect<PresenceNode, never, Scope.Scope> =>
  Effect.gen(function* () {
    const listeners = new Set<(live: ReadonlySet<string>, round: number) => void>()
    const members = new Map<string, Member>()
    const dirty = new Map<string, Member>()
    const wake = Latch.makeUnsafe(false)
    let flushed = Deferred.makeUnsafe<void>()
    let flushing = flushed
    let isAway = false
    let isClosed = false
    let node: string | undefined
    let round = 0

    yield* Metering.readings([
      {
        description: "Members that are connected to this process",
        id: "flange.presence.members",
        read: () => members.size,
        type: "gauge"
      }
    ])

    const mark = (key: string, member: Member): void => {
      dirty.set(key, member)
      wake.openUnsafe()
    }

    /** Returns the node with a lease. A new one has all members to write. */
    const registered = Semaphore.makeUnsafe(1).withPermit(
      Effect.suspend((): Effect.Effect<string, BroadcastUnavailable> => {
        if (node !== undefined) return Effect.succeed(node)
        const id = randomUUID()
        return Effect.map(store.register(id, lease), () => {
          node = id
          for (const [key, member] of members) {
            member.told = undefined
            mark(key, member)
          }
          return id
        })
      })
    )

    const write = Effect.gen(function* () {
      const id = yield* registered
      const taken = [...dirty].slice(0, batch)
      const changes: Array<Change> = []
      for (const [key, member] of taken) {
        dirty.delete(key)
        const value = member.connections.at(-1)?.value
        if (value !== member.told) {
          changes.push({ address: member.address, id: member.id, value })
          member.told = null
        } else if (value === undefined) members.delete(key)
      }
      if (changes.length === 0) return
      yield* store.write(id, changes).pipe(
        Effect.andThen(hub.publish(lettersOf(id, changes))),
        Effect.tapError(() =>
          Effect.sync(() => {
            for (const [key, member] of taken) mark(key, member)
          })
        )
      )
      // Another node has begun meanwhile, and its members are to be written.
      if (node !== id) return
      for (const { address, id, value } of changes) {
        const key = address + id
        const member = members.get(key)
        if (member === undefined) continue
        member.told = value
        if (value === undefined && member.connections.length === 0) members.delete(key)
      }
    })

    const away = (error: BroadcastUnavailable) =>
      Effect.suspend(() => {
        const wasAway = isAway
        isAway = true
        return wasAway
          ? Effect.void
          : Effect.logWarning(
              "Members that join or leave are not told to other processes until the server is back",
              error
            )
      })

    const beat = Effect.gen(function* () {
      const id = yield* registered
      const present = ++round
      const live = new Set(yield* store.renew(id, lease))
      if (!live.has(id)) {
        // Others have taken this process for dead. What they remove is the old node.
        if (node === id) node = undefined
        yield* registered
        return
      }
      isAway = false
      for (const listener of listeners) listener(live, present)
      while (yield* store.prune);
    })

    const writer = Effect.gen(function* () {
      let failures = 0
      for (;;) {
        yield* wake.await
        wake.closeUnsafe()
        const waiting = flushed
        flushing = waiting
        flushed = Deferred.makeUnsafe<void>()
        for (let left = dirty.size; left > 0;) {
          const exit = yield* Effect.result(write)
          if (exit._tag === "Success") {
            left -= batch
            failures = 0
            isAway = false
            continue
          }
          yield* away(exit.failure)
          // Nobody waits for a server that is away.
          yield* Deferred.succeed(waiting, undefined)
          yield* Effect.sleep(Math.min(longestWait, 100 * 2 ** failures++))
          yield* Effect.ignore(beat)
          left = dirty.size
        }
        yield* Deferred.succeed(waiting, undefined)
      }
    })

    /**
     * Marks a member that has changed. The effect waits until it is written, or the server is found to be
     * away.
     */
    const changed = (key: string, member: Member): Effect.Effect<void> => {
      // Of this moment: the writer may be done before the effect runs.
      const waiting = flushed
      mark(key, member)
      return isAway || isClosed ? Effect.void : Deferred.await(waiting)
    }

    const writing = yield* Effect.forkScoped(writer)
    const beating = yield* Effect.forkScoped(
      Effect.forever(
        Effect.andThen(
          Effect.sleep(heartbeat),
          Effect.suspend(() => (node === undefined ? Effect.void : Effect.catch(beat, away)))
        )
      )
    )
    yield* Effect.addFinalizer(() =>
      Effect.gen(function* () {
        isClosed = true
        yield* Fiber.interruptAll([beating, writing])
        yield* Deferred.succeed(flushing, undefined)
        yield* Deferred.succeed(flushed, undefined)
        const id = node
        if (id === undefined) return
        const left = [...members.values()].flatMap(({ address, id, told }) =>
          told === undefined ? [] : [{ address, id, value: undefined }]
        )
        yield* Effect.andThen(store.remove(id), hub.publish(lettersOf(id, left))).pipe(
          Effect.catch((error) =>
            Effect.logWarning("The members of this process leave when its lease ends", error)
          )
        )
      })
    )

    return {
      join: (address, id, value) => {
        const key = address + id
        const connection = { value }
        return Effect.acquireRelease(
          Effect.suspend(() => {
            const member = members.get(key) ?? { address, connections: [], id, told: undefined }
            member.connections.push(connection)
            members.set(key, member)
            return changed(key, member)
          }),
          () =>
            Effect.suspend(() => {
              const member = members.get(key)
              const at = member?.connections.indexOf(connection) ?? -1
              if (member === undefined || at < 0) return Effect.void
              member.connections.splice(at, 1)
              return changed(key, member)
            })
        )
      },
      onBeat: (listener) =>
        Effect.andThen(
          Effect.ignore(registered),
          Effect.acquireRelease(
            Effect.sync(() => void listeners.add(listener)),
            () => Effect.sync(() => void listeners.delete(listener))
          )
        ),
      round: () => round
    }
  })
