/** Values that come and go often. */

interface Slot<A> {
  place: number
  readonly value: A
}

/**
 * Values in no order. Structures of the process use it for what requests add and remove, instead of a `Set` or a
 * `Map`. V8 links each table of those to the table that replaces it: a replaced table in the old space keeps
 * everything that is added later, until the next full collection.
 */
export class Bag<A> {
  readonly #slots: Array<Slot<A>> = []

  /** Adds a value. Returns the function that removes it and says whether it was there. */
  add(value: A): () => boolean {
    const slots = this.#slots
    const slot: Slot<A> = { place: slots.length, value }
    slots.push(slot)
    return () => {
      if (slots[slot.place] !== slot) return false
      const last = slots.pop()!
      if (last === slot) return true
      slots[slot.place] = last
      last.place = slot.place
      return true
    }
  }

  /** Removes a value and returns it; undefined if there is none. */
  take(): A | undefined {
    return this.#slots.pop()?.value
  }

  get size(): number {
    return this.#slots.length
  }

  /** The values at this moment. */
  get values(): Array<A> {
    return this.#slots.map(({ value }) => value)
  }
}
