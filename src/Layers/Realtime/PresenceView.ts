/** The members at one address, as a process that watches them knows them. */
import type { Row } from "./PresenceStore.ts"

/** A member with the JSON text of what is known of it. */
export interface Present {
  readonly id: string
  readonly value: string
}

/** A change of the members at an address. */
export type RawChange =
  | { readonly _tag: "Joined"; readonly member: Present }
  | { readonly _tag: "Left"; readonly id: string }
  | { readonly _tag: "Snapshot"; readonly members: ReadonlyArray<Present> }
  | { readonly _tag: "Updated"; readonly member: Present }

/** What a process tells of one of its members. Without a value it has left. */
export type Told = readonly [id: string, value: string | null]

interface Seen {
  /** The round of heartbeats in which it was seen. */
  readonly round: number
  readonly value: string
}

/** The time of joining, at the beginning of a value. */
const timeOf = (value: string): number => Number(/^\[(\d+),/.exec(value)?.[1] ?? 0)

/** Returns the value of the latest process that a member joined in. */
const latest = (values: Iterable<string>): string | undefined => {
  let found: string | undefined
  for (const value of values) {
    if (found === undefined) found = value
    else {
      const [one, other] = [timeOf(found), timeOf(value)]
      // At equal times all processes choose the same.
      if (other > one || (other === one && value > found)) found = value
    }
  }
  return found
}

/** Returns a list in the order of joining, with each member once. */
export const listOf = (rows: Iterable<Omit<Row, "node">>): ReadonlyArray<Present> => {
  const values = new Map<string, Array<string>>()
  for (const { id, value } of rows) {
    const found = values.get(id)
    if (found === undefined) values.set(id, [value])
    else found.push(value)
  }
  return [...values]
    .map(([id, all]) => ({ id, value: latest(all)! })) // there is at least one
    .toSorted(
      (one, other) => timeOf(one.value) - timeOf(other.value) || (one.id < other.id ? -1 : 1)
    )
}

/** The members at an address. */
export class PresenceView {
  readonly #members = new Map<string, Map<string, Seen>>()
  readonly #onChange: (change: RawChange) => void

  constructor(onChange: (change: RawChange) => void) {
    this.#onChange = onChange
  }

  /** All members. */
  get snapshot(): RawChange {
    const rows = [...this.#members].flatMap(([id, nodes]) =>
      [...nodes.values()].map(({ value }) => ({ id, value }))
    )
    return { _tag: "Snapshot", members: listOf(rows) }
  }

  /** Applies what a process told. */
  apply(node: string, told: ReadonlyArray<Told>, round: number): void {
    for (const [id, value] of told) {
      this.#change(id, (nodes) => {
        if (value === null) nodes.delete(node)
        else nodes.set(node, { round, value })
      })
    }
  }

  /** Removes the members of processes that are not live and were not seen since the round began. */
  keep(live: ReadonlySet<string>, round: number): void {
    for (const id of this.#members.keys()) {
      this.#change(id, (nodes) => {
        for (const [node, seen] of nodes) {
          if (seen.round < round && !live.has(node)) nodes.delete(node)
        }
      })
    }
  }

  /** Puts the rows of the store in the place of everything that is known. */
  load(rows: ReadonlyArray<Row>, round: number): void {
    const loaded = new Map<string, Map<string, Seen>>()
    for (const { id, node, value } of rows) {
      const nodes = loaded.get(id) ?? new Map<string, Seen>()
      loaded.set(id, nodes.set(node, { round, value }))
    }
    for (const id of new Set([...this.#members.keys(), ...loaded.keys()])) {
      this.#change(id, (nodes) => {
        nodes.clear()
        for (const [node, seen] of loaded.get(id) ?? []) nodes.set(node, seen)
      })
    }
  }

  #change(id: string, change: (nodes: Map<string, Seen>) => void): void {
    const nodes = this.#members.get(id) ?? new Map<string, Seen>()
    const before = latest([...nodes.values()].map(({ value }) => value))
    change(nodes)
    const after = latest([...nodes.values()].map(({ value }) => value))
    if (after === undefined) this.#members.delete(id)
    else this.#members.set(id, nodes)
    if (before === after) return
    if (after === undefined) this.#onChange({ _tag: "Left", id })
    else if (before === undefined) {
      this.#onChange({ _tag: "Joined", member: { id, value: after } })
    } else this.#onChange({ _tag: "Updated", member: { id, value: after } })
  }
}
