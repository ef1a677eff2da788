/** The requests of one priority that wait, in the order in which they came. */

/** Why a request is refused. */
export type Reason = "displaced" | "queue_full" | "waited_too_long"

/** A request that waits. Create one for each request. */
export class Waiting {
  /** When it began to wait, in milliseconds of the gate's clock. */
  since = 0
  next: Waiting | undefined
  previous: Waiting | undefined
  /** The line that it is in; undefined if it does not wait. */
  line: Line | undefined
  /** Called once, with the reason if the request is refused. It may run the handler. */
  readonly resume: (refused: Reason | undefined) => void

  constructor(resume: Waiting["resume"]) {
    this.resume = resume
  }
}

/** A list from which any member leaves in constant time, so that clients that go away leave nothing. */
export class Line {
  newest: Waiting | undefined
  oldest: Waiting | undefined
  size = 0

  add(waiting: Waiting): void {
    waiting.line = this
    waiting.previous = this.newest
    if (this.newest === undefined) this.oldest = waiting
    else this.newest.next = waiting
    this.newest = waiting
    this.size++
  }

  remove(waiting: Waiting): void {
    const { next, previous } = waiting
    if (previous === undefined) this.oldest = next
    else previous.next = next
    if (next === undefined) this.newest = previous
    else next.previous = previous
    waiting.line = waiting.next = waiting.previous = undefined
    this.size--
  }
}
