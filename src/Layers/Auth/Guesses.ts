/** Wrong credentials, counted by the address of the client that sent them. */

/** The refused credentials of an address. */
interface Count {
  /** When the current interval began, in Unix milliseconds. */
  at: number
  refusals: number
}

/** The checks of an address that are running or waiting. */
interface Checks {
  running: number
  readonly waiting: Set<() => void>
}

/** The limits of an address. */
export interface Limits {
  /** Refused credentials in a window. */
  readonly limit: number
  readonly maxAddresses: number
  readonly windowMillis: number
}

/**
 * Counts by address, in two generations: when the young one holds half of
 * `maxAddresses`, it becomes the old one, and the previous old one is dropped. One refusal is
 * forgiven in each `limit`th part of the window.
 */
export class Guesses {
  readonly #checks = new Map<string, Checks>()
  readonly #half: number
  readonly #interval: number
  readonly #limit: number
  #old = new Map<string, Count>()
  #young = new Map<string, Count>()

  constructor({ limit, maxAddresses, windowMillis }: Limits) {
    this.#half = Math.max(1, Math.floor(maxAddresses / 2))
    this.#interval = windowMillis / limit
    this.#limit = limit
  }

  /** The number of addresses that are kept. */
  get size(): number {
    return this.#old.size + this.#young.size
  }

  /** Whether no address has refused credentials or a running check. */
  get isIdle(): boolean {
    return this.size === 0 && this.#checks.size === 0
  }

  /** Whether the running checks of the address are as many as may still be refused. */
  isBusy(address: string, now: number): boolean {
    const running = this.#checks.get(address)?.running ?? 0
    return running > 0 && running >= this.left(address, now)
  }

  /** Returns how many more credentials of the address may be refused now. */
  left(address: string, now: number): number {
    const count = this.#young.get(address) ?? this.#old.get(address)
    return count === undefined ? this.#limit : this.#limit - this.#forgiven(count, now).refusals
  }

  /** Returns the seconds until the address may send credentials; 0 if it may now. */
  wait(address: string, now: number): number {
    if (this.left(address, now) > 0) return 0
    const { at } = (this.#young.get(address) ?? this.#old.get(address))!
    return Math.max(1, Math.ceil((at + this.#interval - now) / 1000))
  }

  /** Counts credentials that were refused. */
  refuse(address: string, now: number): void {
    const count = this.#young.get(address) ?? this.#admit(address, now)
    this.#forgiven(count, now).refusals++
  }

  /**
   * Begins an asynchronous check of credentials. Returns the function that ends it; undefined if the
   * address has to wait, because as many checks run as may still be refused.
   */
  begin(address: string, now: number): (() => void) | undefined {
    if (this.isBusy(address, now)) return undefined
    const checks = this.#checksOf(address)
    checks.running++
    return () => {
      checks.running--
      this.wake(address)
    }
  }

  /** Calls back when it may be the turn of the address. Returns the function that cancels this. */
  queue(address: string, turn: () => void): () => void {
    const { waiting } = this.#checksOf(address)
    waiting.add(turn)
    return () => {
      waiting.delete(turn)
      // The turn may have come already.
      this.wake(address)
    }
  }

  /** Gives the next in the queue of the address its turn. */
  wake(address: string): void {
    const checks = this.#checks.get(address)
    if (checks === undefined) return
    const [next] = checks.waiting
    if (next !== undefined) {
      checks.waiting.delete(next)
      // Asynchronously: a long queue would otherwise overflow the stack.
      queueMicrotask(next)
    } else if (checks.running === 0) this.#checks.delete(address)
  }

  #checksOf(address: string): Checks {
    const found = this.#checks.get(address)
    if (found !== undefined) return found
    const checks: Checks = { running: 0, waiting: new Set() }
    this.#checks.set(address, checks)
    return checks
  }

  #forgiven(count: Count, now: number): Count {
    // A clock that was set back must not keep an address out.
    if (now < count.at) count.at = now
    const intervals = Math.floor((now - count.at) / this.#interval)
    if (count.refusals === 0) count.at = now
    else if (intervals > 0) {
      count.refusals = Math.max(0, count.refusals - intervals)
      count.at = count.refusals === 0 ? now : count.at + intervals * this.#interval
    }
    return count
  }

  /** Moves a count to the young generation. */
  #admit(address: string, now: number): Count {
    const count = this.#old.get(address) ?? { at: now, refusals: 0 }
    this.#old.delete(address)
    if (this.#young.size >= this.#half) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(address, count)
    return count
  }
}
