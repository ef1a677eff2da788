/**
 * The bus over `LISTEN` and `NOTIFY` of PostgreSQL.
 *
 * A process has one connection that listens, on one channel for all addresses. PostgreSQL delivers the
 * notifications of a transaction after its commit, in the order of the commits, and does not deliver two
 * equal ones twice. So each text has an id of its own, and the parts of a long text follow each other.
 */
import { randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import type { SqlError } from "effect/sql/SqlError"
import * as SqlListen from "../../Plugin/SqlListen.ts"
import type { Bus, Letter, Listener } from "./BroadcastBus.ts"
import { BroadcastUnavailable } from "./BroadcastErrors.ts"
import { Assembly, split } from "./BroadcastParts.ts"

/** The options of a bus. */
export interface Options {
  /** The channel of PostgreSQL, of at most 63 bytes. */
  readonly channel: string
  /** The longest text, in bytes. */
  readonly maxSize: number
}

/** How long `subscribe` waits for the connection, in milliseconds. */
const patience = 5000

/** A listener with its state. */
interface Entry extends Listener {
  /** Whether texts may have been missed since it was confirmed, or since it was to be confirmed. */
  isBehind: boolean
  /** Called when the connection listens for the first time. */
  onConfirmed: (() => void) | undefined
}

/** Makes the bus. Its connection is opened with the first subscription. */
export const make = (
  sql: SqlListen.ListeningClient,
  { channel, maxSize }: Options
): Effect.Effect<Bus, never, Scope.Scope> =>
  Effect.gen(function* () {
    const entries = new Map<string, Set<Entry>>()
    const process = randomBytes(6).toString("hex")
    let assembly = new Assembly(maxSize)
    let isListening = false
    let texts = 0
    const wanted = Latch.makeUnsafe(false)

    const all = function* () {
      for (const set of entries.values()) yield* set
    }

    const onOpen = (): void => {
      isListening = true
      assembly = new Assembly(maxSize)
      for (const entry of all()) {
        if (entry.isBehind) entry.onGap(undefined)
        entry.isBehind = false
        entry.onConfirmed?.()
      }
    }

    const onLost = (): void => {
      isListening = false
      for (const entry of all()) entry.isBehind ||= entry.onConfirmed === undefined
    }

    // The parts of a text are sent in one statement, so that no other text comes between them.
    const notify = (payloads: ReadonlyArray<string>): Effect.Effect<void, SqlError> =>
      Effect.asVoid(
        payloads.length === 1
          ? sql`select pg_notify(${channel}, ${payloads[0]})`
          : sql`select pg_notify(${channel}, part) from unnest(${payloads}::text[]) as part`
      )

    const deliver = ({ address, text }: Letter): void => {
      for (const { onText } of entries.get(address) ?? []) onText(text)
    }

    // It is forked here: the fiber of a subscriber may have a request, a span and a transaction.
    yield* Effect.forkScoped(
      Effect.andThen(
        wanted.await,
        SqlListen.listen(sql, {
          channel,
          lost: "The connection that listens for broadcasts was lost. It is opened again, and subscribers are told of the gap",
          onLost,
          onMessage: (payload) => {
            const letter = assembly.add(payload)
            if (letter !== undefined) deliver(letter)
          },
          onOpen
        })
      )
    )

    const add = (address: string, entry: Entry) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const found = entries.get(address)
          if (found === undefined) entries.set(address, new Set([entry]))
          else found.add(entry)
        }),
        () =>
          Effect.sync(() => {
            const found = entries.get(address)
            found?.delete(entry)
            if (found?.size === 0) entries.delete(address)
          })
      )

    return {
      isTransactional: true,
      publish: (letters) =>
        notify(
          letters.flatMap((letter) => split(letter, `${process}${(texts++).toString(36)}`))
        ).pipe(
          Effect.mapError((cause) => new BroadcastUnavailable({ cause, operation: "publish" }))
        ),
      subscribe: Effect.fnUntraced(function* (address, listener) {
        wanted.openUnsafe()
        const entry: Entry = { ...listener, isBehind: false, onConfirmed: undefined }
        yield* add(address, entry)
        const confirmed = Effect.callback<void>((resume) => {
          if (isListening) return resume(Effect.void)
          entry.onConfirmed = () => {
            entry.onConfirmed = undefined
            resume(Effect.void)
          }
        })
        yield* Effect.timeoutOrElse(confirmed, {
          duration: patience,
          orElse: () =>
            Effect.sync(() => {
              entry.isBehind = true
              entry.onConfirmed = undefined
            })
        })
      })
    }
  })
