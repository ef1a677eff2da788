/** Counts in memory, at most a fixed number of them. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Take, Taken } from "./Rule.ts"
import * as SlidingWindow from "./SlidingWindow.ts"
import type { Shape } from "./Store.ts"
import * as TokenBucket from "./TokenBucket.ts"

type Count = SlidingWindow.Window | TokenBucket.Bucket

/**
 * Counts by key, in two generations. A count that is used is moved to the young generation. When
 * that generation holds half of `maxKeys`, it becomes the old one, and the previous old one is
 * dropped. So a count is kept while fewer than half of `maxKeys` other counts have been used
 * after it. The count of an active caller is found with one look-up. A caller whose count was
 * dropped may send as many requests as a new one.
 */
export class MemoryStore implements Shape {
  readonly #half: number
  #old = new Map<string, Count>()
  #young = new Map<string, Count>()

  constructor(maxKeys: number) {
    this.#half = Math.max(1, Math.floor(maxKeys / 2))
  }

  /** The number of counts that are kept. */
  get size(): number {
    return this.#old.size + this.#young.size
  }

  readonly take: Shape["take"] = (takes) =>
    Effect.withFiber((fiber) =>
      Effect.succeed(this.takeNow(takes, fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()))
    )

  /** Does what `take` does, without an effect. */
  takeNow(takes: ReadonlyArray<Take>, now: number): ReadonlyArray<Taken> {
    if (takes.length === 1) {
      const [only] = takes as [Take]
      const count = this.#countOf(only, now)
      const taken = check(count, only, now)
      return [taken.waitMillis > 0 ? taken : charge(count, only, now, taken)]
    }
    const counts = takes.map((take) => this.#countOf(take, now))
    const all = takes.map((take, i) => check(counts[i]!, take, now))
    return all.some(({ waitMillis }) => waitMillis > 0)
      ? all
      : all.map((taken, i) => charge(counts[i]!, takes[i]!, now, taken))
  }

  /** Returns the count of a key in the young generation, where a new one is put too. */
  #countOf({ key, name, rule }: Take, now: number): Count {
    // A count of another algorithm is none.
    const id = `${rule.algorithm === "token-bucket" ? "t" : "w"}|${name}|${key}`
    return this.#young.get(id) ?? this.#admit(id, rule, now)
  }

  #admit(id: string, rule: Take["rule"], now: number): Count {
    const count =
      this.#old.get(id) ??
      (rule.algorithm === "token-bucket" ? TokenBucket.make(rule, now) : SlidingWindow.make())
    this.#old.delete(id)
    if (this.#young.size >= this.#half) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(id, count)
    return count
  }
}

/**
 * Creates a store in memory that keeps at most `maxKeys` counts. It uses the clock of the calling
 * fiber.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as RateLimit from "flange/RateLimit"
 *
 * const store = RateLimit.memory({ maxKeys: 1000 })
 * const take = store.take([
 *   {
 *     key: "caller:default:ada",
 *     name: "default",
 *     rule: { algorithm: "token-bucket", capacity: 2, cost: 1, limit: 2, windowMillis: 60_000 }
 *   }
 * ])
 * Effect.runSync(Effect.map(take, ([taken]) => taken?.remaining)) // => 1
 * ```
 */
export const memory = ({
  maxKeys
}: {
  /** The most counts. */
  readonly maxKeys: number
}): Shape => new MemoryStore(maxKeys)

const check = (count: Count, { rule }: Take, now: number): Taken =>
  "tokens" in count ? TokenBucket.check(count, rule, now) : SlidingWindow.check(count, rule, now)

const charge = (count: Count, { rule }: Take, now: number, taken: Taken): Taken => {
  if ("tokens" in count) {
    TokenBucket.take(count, rule)
    return { ...taken, remaining: taken.remaining - rule.cost }
  }
  SlidingWindow.take(count, rule, now)
  return { ...taken, remaining: taken.remaining - rule.cost }
}
