/** Token buckets in memory, at most a fixed number of them. */

interface Bucket {
  /** When the current refill interval began, in Unix milliseconds. */
  at: number
  tokens: number
}

/** The tokens to take, and the bucket to take them from. */
export interface Take {
  readonly allowOverflow: boolean
  readonly key: string
  /** The number of tokens in a full bucket. */
  readonly limit: number
  /** Unix milliseconds. */
  readonly now: number
  /** Milliseconds after which the bucket gets one more token. */
  readonly refillMillis: number
  readonly tokens: number
}

/**
 * Buckets by key, in two generations. A bucket that is used is moved to the young generation. When
 * that generation holds half of `maxKeys`, it becomes the old one, and the previous old one is
 * dropped. So a bucket is kept while fewer than half of `maxKeys` other buckets have been used
 * after it. The bucket of an active caller is found with one look-up. A caller whose bucket was
 * dropped starts again with a full one.
 */
export class Buckets {
  readonly #half: number
  #old = new Map<string, Bucket>()
  #young = new Map<string, Bucket>()

  constructor(maxKeys: number) {
    this.#half = Math.max(1, Math.floor(maxKeys / 2))
  }

  /** The number of buckets that are kept. */
  get size(): number {
    return this.#old.size + this.#young.size
  }

  /**
   * Refills the bucket and takes tokens from it. Returns the tokens that are left, negative if
   * there were too few, and the milliseconds since the refill interval began. If there were too few
   * and `allowOverflow` is not set, no token is taken.
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

  /** Moves the bucket of a key, or a new one, to the young generation. */
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
