/**
 * Token buckets. A bucket has `capacity` tokens at most, and gets one after each `limit`th part of the
 * window.
 */
import { millis, type Rule, type Taken } from "./Rule.ts"

/** The state of a bucket. */
export interface Bucket {
  /** When the current refill interval began, in Unix milliseconds. */
  at: number
  tokens: number
}

/** Returns a full bucket. */
export const make = ({ capacity }: Rule, now: number): Bucket => ({ at: now, tokens: capacity })

/** Adds the tokens that are due. */
const refill = (bucket: Bucket, { capacity, limit, windowMillis }: Rule, now: number): void => {
  // A clock that was set back must not stop the refill.
  if (now < bucket.at) bucket.at = now
  const due = Math.floor(((now - bucket.at) * limit) / windowMillis)
  if (due > 0) {
    bucket.tokens += due
    bucket.at += (due * windowMillis) / limit
  }
  // A bucket of an earlier policy may have more tokens.
  if (bucket.tokens >= capacity) {
    bucket.at = now
    bucket.tokens = capacity
  }
}

/** Returns what the bucket says about a request. No token is taken. */
export const check = (bucket: Bucket, rule: Rule, now: number): Taken => {
  refill(bucket, rule, now)
  const interval = rule.windowMillis / rule.limit
  const elapsed = now - bucket.at
  const missing = rule.cost - bucket.tokens
  return {
    remaining: bucket.tokens,
    resetMillis: millis(interval - elapsed),
    waitMillis: missing <= 0 ? 0 : millis(missing * interval - elapsed)
  }
}

/** Takes the tokens of a request that `check` has let pass. */
export const take = (bucket: Bucket, { cost }: Rule): void => {
  bucket.tokens -= cost
}
