/** Token buckets in memory, of which there is never more than a fixed number. */

interface Bucket {
  /** When the refill interval that runs now began, in Unix milliseconds. */
  at: number
  tokens: number
}

/** What is taken from a bucket. */
export interface Take {
  readonly allowOverflow: boolean
  readonly key: string
  /** What the bucket holds when it is full. */
  readonly limit: number
  /** Unix milliseconds. */
  readonly now: number
  /** Milliseconds after which it holds one token more. */
  readonly refillMillis: number
  readonly tokens: number
}

/**
 * Buckets by key, in two generations: a bucket that is used is in the young one.
 * When that holds half of `maxKeys`, it becomes the old one, and what was old is
 * forgotten. So a bucket stays while fewer than half of `maxKeys` others were used
 * since, and one look-up finds a caller that comes again. A bucket that is
 * forgotten is full when its caller comes back.
 */
export class Buckets {
  readonly #half: number
  #old = new Map<string, Bucket>()
  #young = new Map<string, Bucket>()

  constructor(maxKeys: number) {
    this.#half = Math.max(1, Math.floor(maxKeys / 2))
  }

  /** How many buckets are remembered. */
  get size(): number {
    return this.#old.size + this.#young.size
  }

  /**
   * Refills the bucket and takes from it. Gives the tokens that are left, below
   * zero where there were too few, and the milliseconds since the refill interval
   * began. Where there were too few, and `allowOverflow` is not set, none is taken.
   */
  take({
    allowOverflow,
    key,
    limit,
    now,
    refillMillis,
    tokens
  }: Take): readonly [remaining: number, elapsedMillis: number] {
    const bucket = this.#young.get(key) ?? this.#admit(key, limit, now)
    // A clock that was set back must not stop the refill.
    if (now < bucket.at) bucket.at = now
    const refilled = Math.floor((now - bucket.at) / refillMillis)
    if (refilled > 0) {
      bucket.tokens = Math.min(limit, bucket.tokens + refilled)
      bucket.at += refilled * refillMillis
    }
    if (bucket.tokens >= limit) bucket.at = now
    const remaining = bucket.tokens - tokens
    if (allowOverflow || remaining >= 0) bucket.tokens = remaining
    return [remaining, Math.max(0, now - bucket.at)]
  }

  /** Brings a bucket into the young generation. */
  #admit(key: string, limit: number, now: number): Bucket {
    const bucket = this.#old.get(key) ?? { at: now, tokens: limit }
    this.#old.delete(key)
    if (this.#young.size >= this.#half) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, bucket)
    return bucket
  }
}
