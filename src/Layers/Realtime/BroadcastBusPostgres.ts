/**
 * The bus over `LISTEN` and `NOTIFY` of PostgreSQL.
 *
 * A process has one connection that listens, on one channel for all addresses. PostgreSQL delivers the
 * notifications of a transaction after its commit, in the order of the commits, and does not deliver two
 * equal ones twice. So each text has an id of its own, and the parts of a long text follow each other.
 */
import { randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Listening } from "../../Plugin/SqlListen.ts"
import type { Bus, Letter, Listener } from "./BroadcastBus.ts"
import { BroadcastUnavailable } from "./BroadcastErrors.ts"
import { Assembly, split } from "./BroadcastParts.ts"

/** A client whose server has notifications. */
export type ListeningClient = Listening & SqlClient

/**
 * Checks whether the processes of a database can notify each other. PGlite has one process and one
 * connection.
 */
export const canListen = (sql: SqlClient): sql is ListeningClient =>
  "listen" in sql && sql.driver !== "pglite"

/** The options of a bus. */
export interface Options {
  /** The channel of PostgreSQL, of at most 63 bytes. */
  readonly channel: string
  /** The longest text, in bytes. */
  readonly maxSize: number
}

/** How long `subscribe` waits for the connection, in milliseconds. */
const patience = 5000

/**
 * Milliseconds of silence after which a process notifies itself, and as many more after which it takes the
 * connection for lost. The notification of any replica is a sign of life.
 */
const silence = 10_000

const longestWait = 5000

/** A listener with its state. */
interface Entry extends Listener {
  /** Whether texts may have been missed since it was confirmed, or since it was to be confirmed. */
  isBehind: boolean
  /** Called when the connection listens for the first time. */
  onConfirmed: (() => void) | undefined
}

const signOfLife = "alive"

/** Makes the bus. Its connection is opened with the first subscription. */
export const make = (
  sql: ListeningClient,
  { channel, maxSize }: Options
): Effect.Effect<Bus, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const entries = new Map<string, Set<Entry>>()
    const process = randomBytes(6).toString("hex")
    let isListening = false
    let texts = 0

    const all = function* () {
      for (const set of entries.values()) yield* set
    }

    const up = (): void => {
      isListening = true
      for (const entry of all()) {
        if (entry.isBehind) entry.onGap(undefined)
        entry.isBehind = false
        entry.onConfirmed?.()
      }
    }

    const down = (): void => {
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

    /** Listens on one connection, and fails when it is lost. */
    const session = Effect.scoped(
      Effect.gen(function* () {
        const queue = yield* sql.listen(channel)
        const assembly = new Assembly(maxSize)
        let isSilent = false
        up()
        const receive = Effect.map(Queue.takeAll(queue), (notifications) => {
          isSilent = false
          for (const { payload } of notifications) {
            const letter = payload === signOfLife ? undefined : assembly.add(payload)
            if (letter !== undefined) deliver(letter)
          }
        })
        const watch = Effect.gen(function* () {
          isSilent = true
          yield* Effect.sleep(silence)
          if (!isSilent) return
          yield* notify([signOfLife])
          yield* Effect.sleep(silence)
          if (isSilent) return yield* Effect.fail("it does not deliver notifications")
        })
        return yield* Effect.raceFirst(Effect.forever(receive), Effect.forever(watch))
      })
    )

    const sessions = Effect.gen(function* () {
      let failures = 0
      for (;;) {
        const error = yield* Effect.flip(session)
        const wasListening = isListening
        down()
        if (wasListening) {
          failures = 0
          yield* Effect.logWarning(
            `The connection that listens for broadcasts was lost: ${typeof error === "string" ? error : error.message}. It is opened again, and subscribers are told of the gap.`
          )
        }
        const wait = Math.min(longestWait, 50 * 2 ** failures++)
        yield* Effect.sleep(wait * (0.5 + Math.random()))
      }
    })
    const started = yield* Effect.cached(Effect.forkIn(sessions, scope))

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
        yield* started
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
