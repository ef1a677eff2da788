/** The store in the memory of the process. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Attempt, claimed, type Found, type KeyStoreError, type Store } from "./KeyStore.ts"

interface Reply {
  readonly bytes: number
  /** Nanoseconds of the monotonic clock, which no step of the other one changes. */
  readonly expiresAt: bigint
  readonly fingerprint: string
  readonly text: string
}

/** Bytes of an entry beside its reply: its key, its fingerprint, and the slots of the map. */
const overhead = 400

const beyondLatin1 = /[^\0-\u{ff}]/u

/** Returns the bytes of a string: V8 keeps two for each unit if one of them is beyond Latin-1. */
const bytesOf = (text: string): number => (beyondLatin1.test(text) ? text.length * 2 : text.length)

/**
 * Keeps keys in memory. A running request has its key until it ends, and the replies have a budget of
 * bytes: the oldest are dropped first. A dropped reply is one whose request would be carried out again.
 */
export class MemoryStore implements Store {
  #bytes = 0
  /** How many replies were dropped before their time. */
  evictions = 0
  readonly isTransactional = false
  readonly #maxBytes: number
  readonly ping = Effect.void
  readonly renew = undefined
  /** The oldest reply first. */
  readonly #replies = new Map<string, Reply>()
  readonly #running = new Map<string, Attempt>()

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The bytes of all replies. */
  get bytes(): number {
    return this.#bytes
  }

  readonly claim: Store["claim"] = (attempt) =>
    this.#run((now): Found => {
      const { fingerprint, id } = attempt
      const running = this.#running.get(id)
      if (running !== undefined) return { _tag: "Running", fingerprint: running.fingerprint }
      const reply = this.#replies.get(id)
      if (reply !== undefined && reply.expiresAt > now) {
        return { _tag: "Done", fingerprint: reply.fingerprint, reply: reply.text }
      }
      this.#drop(id)
      this.#running.set(id, { ...attempt, fingerprint })
      return claimed
    })

  readonly complete: Store["complete"] = ({ fingerprint, id, owner }, text, ttl) =>
    this.#run((now) => {
      if (this.#running.get(id)?.owner !== owner) return false
      this.#running.delete(id)
      const bytes = bytesOf(text) + overhead
      this.#replies.set(id, {
        bytes,
        expiresAt: now + BigInt(Math.ceil(ttl)) * 1_000_000n,
        fingerprint,
        text
      })
      this.#bytes += bytes
      this.#evict(now)
      return true
    })

  readonly release: Store["release"] = ({ id, owner }) =>
    this.#run(() => {
      if (this.#running.get(id)?.owner === owner) this.#running.delete(id)
    })

  #drop(id: string): void {
    const reply = this.#replies.get(id)
    if (reply === undefined) return
    this.#replies.delete(id)
    this.#bytes -= reply.bytes
  }

  #evict(now: bigint): void {
    for (const [id, { expiresAt }] of this.#replies) {
      const isExpired = expiresAt <= now
      if (!isExpired && this.#bytes <= this.#maxBytes) return
      if (!isExpired) this.evictions++
      this.#drop(id)
    }
  }

  #run<A>(operation: (now: bigint) => A): Effect.Effect<A, KeyStoreError> {
    return Effect.withFiber((fiber) =>
      Effect.succeed(operation(fiber.getRef(Clock.Clock).monotonicTimeNanosUnsafe()))
    )
  }
}
