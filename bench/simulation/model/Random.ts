/** Random numbers from a seed: the same seed gives the same numbers on every machine. */

/** A generator (mulberry32). Give each part of a model its own, so that a change of one leaves the others. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** Returns a number from 0 up to, but not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }

  /** Returns the time to the next arrival of a Poisson process with this mean distance. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next())
  }

  /** Returns another generator, which depends on this one and on nothing else. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 4_294_967_296))
  }
}

/** A distribution of times, in milliseconds. */
export type Times =
  | { readonly kind: "constant"; readonly mean: number }
  | { readonly kind: "exponential"; readonly mean: number }
  | { readonly kind: "measured"; readonly samples: ReadonlyArray<number> }

export const constant = (mean: number): Times => ({ kind: "constant", mean })
export const exponential = (mean: number): Times => ({ kind: "exponential", mean })

/** Draws from samples that were measured. */
export const measured = (samples: ReadonlyArray<number>): Times => {
  if (samples.length === 0) throw new Error("measured([]): give at least one sample")
  return { kind: "measured", samples }
}

export const draw = (times: Times, random: Random): number => {
  switch (times.kind) {
    case "constant":
      return times.mean
    case "exponential":
      return random.exponential(times.mean)
    case "measured":
      return times.samples[Math.floor(random.next() * times.samples.length)]!
  }
}
