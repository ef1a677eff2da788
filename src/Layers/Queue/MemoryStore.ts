/** The store in the memory of the process. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as MonotonicClock from "../../Plugin/MonotonicClock.ts"
import * as Failure from "./Failure.ts"
import type {
  Claim,
  Claimed,
  ClaimOptions,
  Item,
  Offer,
  QueueStoreError,
  State,
  Stats,
  Store
} from "./QueueStore.ts"

interface Entry extends Offer {
  attempts: number
  readonly createdAt: number
  dueAt: number
  failure: string | undefined
  leaseUntil: number
  result: string | undefined
  readonly sequence: number
  state: State
  token: string
  updatedAt: number
  wait: Wait | undefined
}

/** The time for which an item is in the state `waiting`. */
interface Wait {
  isOver: boolean
  readonly since: number
}

interface Kept {
  readonly counts: Record<State, number>
  readonly entries: Map<string, Entry>
  isPaused: boolean
  /** The tenant that was served last. */
  lastTenant: string
  /** The time before which no delay and no lease ends. */
  nextAt: number
  /** The items that are delayed or running, which change by time alone. */
  readonly timed: Set<Entry>
  /** Goes through the tenants of `waiting`. It also reaches those that are added while it goes. */
  turns: Iterator<string>
  /** The waiting items by tenant, each list in the order of claims. The tenants are in the order of their turns. */
  readonly waiting: Map<string, Array<Entry>>
  /** The waits, oldest first. Those that are over stay until they are more than the others. */
  waits: Array<Wait>
}

const noItems: Readonly<Record<State, number>> = {
  completed: 0,
  dead: 0,
  delayed: 0,
  running: 0,
  waiting: 0
}

/** Milliseconds after which leases that have ended are looked at again. */
const leaseCheck = 1000

const isBefore = (a: Entry, b: Entry): boolean =>
  a.priority > b.priority || (a.priority === b.priority && a.sequence < b.sequence)

const isOlder = (a: Wait, b: Wait): boolean => a.since <= b.since

/** Inserts a value into a sorted list. */
const insert = <A>(list: Array<A>, value: A, isBefore: (a: A, b: A) => boolean): void => {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(list[middle]!, value)) low = middle + 1
    else high = middle
  }
  list.splice(low, 0, value)
}

/** Returns when the delay or the lease of an entry ends. */
const endOf = ({ dueAt, leaseUntil, state }: Entry): number =>
  state === "delayed" ? dueAt : leaseUntil

const itemOf = (entry: Entry): Item => {
  const { attempts, createdAt, dueAt, element, failure, id, priority, result } = entry
  const { state, tenant, updatedAt } = entry
  return {
    attempts,
    createdAt,
    dueAt,
    element,
    failure,
    id,
    priority,
    result,
    state,
    tenant,
    updatedAt
  }
}

/**
 * Keeps queues in memory: a restart forgets them, and no other process sees them. Times are those of the
 * `Clock` of the calling fiber, so a test clock moves them. They go on from the time of the first operation: a
 * step of the clock of the machine ends no lease and no delay.
 */
export class MemoryStore implements Store {
  readonly isTransactional = false
  /** The Unix time at which the monotonic clock was zero, in milliseconds. */
  #epoch: number | undefined
  readonly #listeners = new Set<(queue: string | undefined) => void>()
  readonly ping = Effect.void
  readonly #queues = new Map<string, Kept>()
  #sequence = 0

  readonly abandon: Store["abandon"] = (queue, token) =>
    this.#run((now) => {
      const kept = this.#kept(queue)
      for (const entry of kept.timed) {
        if (entry.state === "running" && entry.token === token) this.#release(kept, entry, now)
      }
      this.#wake(queue)
    })

  /** Returns all items of a queue, in the order in which they were added. */
  readonly all = (queue: string): ReadonlyArray<Item> =>
    [...(this.#queues.get(queue)?.entries.values() ?? [])].map(itemOf)

  readonly claim: Store["claim"] = (queue, options) =>
    this.#run((now) => {
      const kept = this.#kept(queue)
      const { lease, limit, token } = options
      const dead = this.#advance(kept, now, options)
      const items: Array<Claimed> = []
      while (!kept.isPaused && items.length < limit) {
        const entry = this.#next(kept)
        if (entry === undefined) break
        const age = now - Math.max(entry.dueAt, entry.createdAt)
        entry.attempts++
        entry.leaseUntil = now + lease
        entry.token = token
        this.#move(kept, entry, "running", now)
        items.push({ age, attempts: entry.attempts, element: entry.element, id: entry.id, token })
      }
      const next = kept.timed.size === 0 ? undefined : Math.max(0, kept.nextAt - now)
      return { dead, items, next }
    })

  readonly cleanup: Store["cleanup"] = ({ completed, dead }) =>
    this.#run((now) => {
      for (const kept of this.#queues.values()) {
        for (const entry of kept.entries.values()) {
          const age = now - entry.updatedAt
          const isOld =
            (entry.state === "completed" && age > completed) ||
            (entry.state === "dead" && age > dead)
          if (isOld) this.#remove(kept, entry, now)
        }
      }
      return false
    })

  readonly get: Store["get"] = (queue, id) =>
    this.#run(() => {
      const entry = this.#queues.get(queue)?.entries.get(id)
      return entry === undefined ? undefined : itemOf(entry)
    })

  /** Returns whether a claim would find an item. */
  readonly hasDue = (queue: string): Effect.Effect<boolean> =>
    Effect.withFiber((fiber) => {
      const kept = this.#queues.get(queue)
      if (kept === undefined || kept.isPaused) return Effect.succeed(false)
      const now = this.#nowOf(fiber)
      const isDue = [...kept.timed].some(({ dueAt, state }) => state === "delayed" && dueAt <= now)
      return Effect.succeed(isDue || kept.waiting.size > 0)
    })

  readonly list: Store["list"] = (queue, { after = "0", limit, state }) =>
    this.#run(() => {
      const all = [...(this.#queues.get(queue)?.entries.values() ?? [])]
        .filter((entry) => entry.state === state && entry.sequence > Number(after))
        .sort((a, b) => a.sequence - b.sequence)
      const part = all.slice(0, limit)
      return {
        items: part.map(itemOf),
        next: all.length > limit ? String(part.at(-1)!.sequence) : undefined
      }
    })

  readonly offer: Store["offer"] = (queue, items) =>
    this.#run((now) => {
      const kept = this.#kept(queue)
      const added = items.map((item) => {
        if (kept.entries.has(item.id)) return false
        const entry: Entry = {
          ...item,
          attempts: 0,
          createdAt: now,
          dueAt: now + item.delay,
          failure: undefined,
          leaseUntil: 0,
          result: undefined,
          sequence: ++this.#sequence,
          state: "completed",
          token: "",
          updatedAt: now,
          wait: undefined
        }
        kept.entries.set(item.id, entry)
        kept.counts.completed++
        this.#move(kept, entry, item.delay > 0 ? "delayed" : "waiting", now)
        return true
      })
      if (added.includes(true)) this.#wake(queue)
      return added
    })

  readonly onWake: Store["onWake"] = (wake) =>
    Effect.asVoid(
      Effect.acquireRelease(
        Effect.sync(() => this.#listeners.add(wake)),
        () => Effect.sync(() => this.#listeners.delete(wake))
      )
    )

  readonly pause: Store["pause"] = (queue) =>
    this.#run(() => {
      this.#kept(queue).isPaused = true
    })

  readonly queues: Store["queues"] = this.#run(() =>
    [...this.#queues]
      .filter(([, { entries, isPaused }]) => isPaused || entries.size > 0)
      .map(([name]) => name)
      .sort()
  )

  readonly remove: Store["remove"] = (queue, ids) =>
    this.#run((now) => {
      const kept = this.#kept(queue)
      let count = 0
      for (const id of new Set(ids)) {
        const entry = kept.entries.get(id)
        if (entry === undefined || entry.state === "running") continue
        this.#remove(kept, entry, now)
        count++
      }
      return count
    })

  readonly renew: Store["renew"] = (queue, claims, lease) =>
    this.#run((now) => {
      const kept = this.#kept(queue)
      return claims.flatMap(({ id, token }) => {
        const entry = kept.entries.get(id)
        if (entry?.state !== "running" || entry.token !== token) return [id]
        entry.leaseUntil = now + lease
        kept.nextAt = Math.min(kept.nextAt, entry.leaseUntil)
        return []
      })
    })

  readonly requeue: Store["requeue"] = (queue, ids) =>
    this.#run((now) => {
      const kept = this.#kept(queue)
      const isChosen = ids === "dead" ? undefined : new Set(ids)
      let count = 0
      for (const entry of kept.entries.values()) {
        const { id, state } = entry
        const isFit =
          isChosen === undefined
            ? state === "dead"
            : isChosen.has(id) && state !== "running" && state !== "waiting"
        if (!isFit) continue
        entry.attempts = 0
        entry.dueAt = now
        this.#move(kept, entry, "waiting", now)
        count++
      }
      if (count > 0) this.#wake(queue)
      return count
    })

  readonly resume: Store["resume"] = (queue) =>
    this.#run(() => {
      this.#kept(queue).isPaused = false
      this.#wake(queue)
    })

  readonly settle: Store["settle"] = (queue, settlements) =>
    this.#run((now) => {
      const kept = this.#kept(queue)
      let isAwaited = false
      const lost = settlements.flatMap(({ id, outcome, token }) => {
        const entry = kept.entries.get(id)
        if (entry?.state !== "running" || entry.token !== token) return [id]
        switch (outcome._tag) {
          case "Completed": {
            entry.result = outcome.result
            if (entry.keep) this.#move(kept, entry, "completed", now)
            else this.#remove(kept, entry, now)
            break
          }
          case "Dead": {
            entry.failure = outcome.failure
            this.#move(kept, entry, "dead", now)
            break
          }
          case "Released": {
            isAwaited = true
            this.#release(kept, entry, now)
            break
          }
          case "Retry": {
            entry.failure = outcome.failure
            entry.dueAt = now + outcome.delay
            isAwaited = true
            this.#move(kept, entry, outcome.delay > 0 ? "delayed" : "waiting", now)
          }
        }
        return []
      })
      if (isAwaited) this.#wake(queue)
      return lost
    })

  readonly stats: Store["stats"] = (queue) =>
    this.#run((now): Stats => {
      const kept = this.#queues.get(queue)
      if (kept === undefined) return { ...noItems, oldestWaiting: 0, paused: false }
      const first = kept.waits.findIndex(({ isOver }) => !isOver)
      kept.waits.splice(0, first < 0 ? kept.waits.length : first)
      const oldestWaiting = Math.max(0, now - (kept.waits[0]?.since ?? now))
      return { ...kept.counts, oldestWaiting, paused: kept.isPaused }
    })

  /**
   * Moves the items whose delay or lease has ended, and returns those that are dead by it. Looks at them only if
   * one may have ended.
   */
  #advance(kept: Kept, now: number, { endsLeases, maxAttempts }: ClaimOptions): Claim["dead"] {
    if (now < kept.nextAt) return []
    const dead: Array<Claim["dead"][number]> = []
    kept.nextAt = Number.POSITIVE_INFINITY
    for (const entry of kept.timed) {
      const at = endOf(entry)
      if (at > now) kept.nextAt = Math.min(kept.nextAt, at)
      else if (entry.state === "delayed") this.#move(kept, entry, "waiting", now)
      else if (!endsLeases) kept.nextAt = Math.min(kept.nextAt, now + leaseCheck)
      else {
        const isOver = entry.attempts >= maxAttempts
        if (isOver) {
          entry.failure = Failure.encode(Failure.lost(entry.attempts))
          dead.push({ attempts: entry.attempts, id: entry.id })
        }
        this.#move(kept, entry, isOver ? "dead" : "waiting", now)
      }
    }
    return dead
  }

  #kept(queue: string): Kept {
    const found = this.#queues.get(queue)
    if (found !== undefined) return found
    const waiting: Kept["waiting"] = new Map()
    const made: Kept = {
      counts: { ...noItems },
      entries: new Map(),
      isPaused: false,
      lastTenant: "",
      nextAt: Number.POSITIVE_INFINITY,
      timed: new Set(),
      turns: waiting.keys(),
      waiting,
      waits: []
    }
    this.#queues.set(queue, made)
    return made
  }

  #move(kept: Kept, entry: Entry, state: State, now: number): void {
    this.#unlink(kept, entry)
    kept.counts[entry.state]--
    kept.counts[state]++
    entry.state = state
    entry.updatedAt = now
    if (state === "delayed" || state === "running") {
      kept.timed.add(entry)
      kept.nextAt = Math.min(kept.nextAt, endOf(entry))
    }
    if (state !== "waiting") return
    if (kept.waits.length > 2 * kept.counts.waiting + 64) {
      kept.waits = kept.waits.filter(({ isOver }) => !isOver)
    }
    entry.wait = { isOver: false, since: entry.dueAt }
    insert(kept.waits, entry.wait, isOlder)
    const list = kept.waiting.get(entry.tenant)
    if (list === undefined) kept.waiting.set(entry.tenant, [entry])
    else insert(list, entry, isBefore)
  }

  /** Returns the first item of the next tenant with waiting items. */
  #next(kept: Kept): Entry | undefined {
    const { lastTenant, waiting } = kept
    const rest = waiting.get(lastTenant)
    if (rest !== undefined) {
      // It is behind those that have come since it was served.
      waiting.delete(lastTenant)
      waiting.set(lastTenant, rest)
    }
    let turn = kept.turns.next()
    if (turn.done === true) {
      // An iterator that has ended does not see what is added.
      kept.turns = waiting.keys()
      turn = kept.turns.next()
    }
    if (turn.done === true) return undefined
    kept.lastTenant = turn.value
    return waiting.get(turn.value)?.[0]
  }

  #nowOf(fiber: Fiber.Fiber<unknown, unknown>): number {
    const clock = fiber.getRef(Clock.Clock)
    const elapsed = Math.floor(MonotonicClock.millisOf(clock))
    this.#epoch ??= clock.currentTimeMillisUnsafe() - elapsed
    return this.#epoch + elapsed
  }

  #release(kept: Kept, entry: Entry, now: number): void {
    entry.attempts--
    this.#move(kept, entry, "waiting", now)
  }

  #remove(kept: Kept, entry: Entry, now: number): void {
    this.#move(kept, entry, "completed", now)
    kept.counts.completed--
    kept.entries.delete(entry.id)
  }

  #run<A>(operation: (now: number) => A): Effect.Effect<A, QueueStoreError> {
    return Effect.withFiber((fiber) => Effect.succeed(operation(this.#nowOf(fiber))))
  }

  #unlink(kept: Kept, entry: Entry): void {
    kept.timed.delete(entry)
    if (entry.wait !== undefined) entry.wait.isOver = true
    if (entry.state !== "waiting") return
    const list = kept.waiting.get(entry.tenant)
    const index = list?.indexOf(entry) ?? -1
    if (list === undefined || index < 0) return
    if (list.length === 1) kept.waiting.delete(entry.tenant)
    else list.splice(index, 1)
  }

  #wake(queue: string): void {
    for (const wake of this.#listeners) wake(queue)
  }
}
