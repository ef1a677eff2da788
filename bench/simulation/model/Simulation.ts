/** Virtual time: a queue of events. Nothing here reads a clock of the machine. */

/** An event that has not happened yet. */
export interface Event {
  readonly at: number
  readonly order: number
  run: (() => void) | undefined
}

const isBefore = (a: Event, b: Event) => a.at < b.at || (a.at === b.at && a.order < b.order)

/** Runs events in the order of their times; events of the same time run in the order of their creation. */
export class Simulation {
  /** Milliseconds since the start. */
  now = 0
  /** How many events have run. */
  events = 0
  #order = 0
  readonly #heap: Array<Event> = []

  at(time: number, run: () => void): Event {
    const event: Event = { at: Math.max(time, this.now), order: this.#order++, run }
    this.#push(event)
    return event
  }

  after(millis: number, run: () => void): Event {
    return this.at(this.now + millis, run)
  }

  /** Runs `each` at every multiple of `millis` until the end. */
  every(millis: number, each: () => void): void {
    this.after(millis, () => {
      each()
      this.every(millis, each)
    })
  }

  /** Runs all events up to this time. */
  runUntil(end: number): void {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || first.at > end) break
      this.#pop()
      if (first.run === undefined) continue
      this.now = first.at
      this.events++
      first.run()
    }
    this.now = end
  }

  #push(event: Event): void {
    const heap = this.#heap
    let i = heap.length
    heap.push(event)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    const size = heap.length
    if (size === 0) return
    let i = 0
    for (let child = 1; child < size; child = 2 * i + 1) {
      if (child + 1 < size && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
  }
}

/** A first-in, first-out queue with constant time per operation. */
export class Queue<A> {
  #items: Array<A> = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  push(item: A): void {
    this.#items.push(item)
  }

  shift(): A | undefined {
    if (this.size === 0) return undefined
    const item = this.#items[this.#head++]!
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}
