/** The bounded buffer between a source that does not wait and the stream of a reader. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

type Chunk<A> = readonly [A, ...ReadonlyArray<A>]

/**
 * A buffer with one reader. `onFull` makes room in the elements that wait, or returns the error with which
 * the stream of the reader ends.
 */
export class Mailbox<A, E = never> {
  #end: Exit.Exit<never, Cause.Done | E> | undefined
  #items: Array<A> = []
  readonly #limit: number
  readonly #onFull: (waiting: Array<A>) => E | undefined
  #wake: (() => void) | undefined

  constructor(limit: number, onFull: (waiting: Array<A>) => E | undefined) {
    this.#limit = limit
    this.#onFull = onFull
  }

  /** The newest element that waits. */
  get last(): A | undefined {
    return this.#items.at(-1)
  }

  /** How many elements wait. */
  get size(): number {
    return this.#items.length
  }

  /** Adds an element. It never waits. */
  push(item: A): void {
    if (this.#end !== undefined) return
    if (this.#items.length >= this.#limit) {
      const error = this.#onFull(this.#items)
      if (error !== undefined) {
        this.#items = []
        return this.#finish(Exit.fail(error))
      }
    }
    this.#items.push(item)
    this.#wake?.()
  }

  /** Puts an element in the place of all that wait. */
  replace(item: A): void {
    this.#items = []
    this.push(item)
  }

  /** Replaces the newest element that waits. */
  replaceLast(item: A): void {
    this.#items[this.#items.length - 1] = item
  }

  /** Returns the stream, which ends when the scope closes. */
  get stream(): Effect.Effect<Stream.Stream<A, E>, never, Scope.Scope> {
    return Effect.as(
      Effect.addFinalizer(() =>
        Effect.sync(() => {
          this.#items = []
          this.#finish(Exit.fail(Cause.Done()))
        })
      ),
      Stream.fromPull(Effect.succeed(this.#take))
    )
  }

  #finish(end: Exit.Exit<never, Cause.Done | E>): void {
    this.#end ??= end
    this.#wake?.()
  }

  readonly #take: Effect.Effect<Chunk<A>, Cause.Done | E> = Effect.callback((resume) => {
    const answer = (): boolean => {
      const [first, ...rest] = this.#items
      if (this.#items.length > 0) {
        this.#items = []
        resume(Effect.succeed([first as A, ...rest])) // there is at least one
      } else if (this.#end === undefined) return false
      else resume(this.#end)
      return true
    }
    if (answer()) return
    const wake = () => {
      this.#wake = undefined
      answer()
    }
    this.#wake = wake
    return Effect.sync(() => {
      this.#wake = undefined
    })
  })
}
