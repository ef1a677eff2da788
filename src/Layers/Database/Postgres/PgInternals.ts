/**
 * The private members of sql-pg that Flange uses. If a version of sql-pg differs,
 * one of `PgInternals.test.ts`, `SchemaChange.test.ts` and `Silence.test.ts` fails.
 */
import type { Socket } from "node:net"
import type { PgConnection as PgSession } from "@effect/sql-pg/PgConnection"
import * as Effect from "effect/Effect"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import * as Silence from "../Silence.ts"

/** A message of the server. */
export interface Message {
  readonly _tag: string
  /** What a statement did, in `CommandComplete`: for example `SELECT 3`. */
  readonly commandTag?: string
  readonly fields?: unknown
  /** Of the transaction, in `ReadyForQuery`: failed, none, or open. */
  readonly status?: "E" | "I" | "T"
}

interface PreparedStatements {
  readonly evict: (statement: object) => void
  readonly statements: ReadonlyMap<string, object>
}

interface Session {
  /** The session behind one that `reserve` returned. */
  readonly base?: Session
  /** The reader of the answer to the running statement. */
  readonly consumer: object | undefined
  dispatch: (message: Message) => void
  /** Closes the socket, fails the running statement, and removes the session from its pool. */
  readonly fatal: (error: SqlError) => void
  /** Asks the server to stop the running statement. */
  readonly interrupt: Effect.Effect<void>
  readonly prepared: PreparedStatements | undefined
  readonly session: { readonly socket: Socket }
}

/** Returns the session behind one that `reserve` returned, with its private members. */
const ownOf = (session: PgSession): Session => {
  const given = session as unknown as Session // not in the interface of the driver
  return given.base ?? given
}

const watched = new WeakSet<Session>()

/**
 * Calls `described` with the types of the columns of each new statement of the session,
 * before the driver chooses codecs for them. It chooses UTF-8 for a type that it does not
 * know, also if the value is binary, and has no other place to intervene.
 */
export const onDescription = (
  session: PgSession,
  described: (types: ReadonlyArray<number>) => void
): void => {
  const own = ownOf(session)
  if (watched.has(own)) return
  watched.add(own)
  const { dispatch } = own
  own.dispatch = (message) => {
    if (message._tag === "RowDescription") {
      const fields = message.fields as ReadonlyArray<{ readonly dataTypeOid: number }>
      described(fields.map(({ dataTypeOid }) => dataTypeOid))
    }
    dispatch(message)
  }
}

const limited = new WeakSet<Session>()

/** Ends the session if its server is silent for longer than the limit, in milliseconds. */
export const limitSilence = (session: PgSession, limit: number): void => {
  const own = ownOf(session)
  if (limited.has(own)) return
  limited.add(own)
  Silence.watch(limit, {
    isWaiting: () => own.consumer !== undefined || lines.get(own)?.isCommitting === true,
    lose: (cause) => {
      // A server that only takes long must not go on without a reader.
      Effect.runFork(own.interrupt)
      const { message } = cause
      own.fatal(
        new SqlError({ reason: new ConnectionError({ cause, message, operation: "query" }) })
      )
    },
    socket: own.session.socket
  })
}

const counted = new WeakSet<Session>()

/** Calls `opened` if it has not seen the session before, and its result when the session is closed. */
export const countOnce = (session: PgSession, opened: () => () => void): void => {
  const own = ownOf(session)
  if (counted.has(own)) return
  counted.add(own)
  own.session.socket.once("close", opened())
}

const renewed = new WeakMap<Session, number>()

/** Makes the session prepare its statements anew, once for each number of `changes`. */
export const renewStatements = (session: PgSession, changes: number): void => {
  const own = ownOf(session)
  const { prepared } = own
  if (prepared === undefined || (renewed.get(own) ?? 0) === changes) return
  renewed.set(own, changes)
  for (const statement of prepared.statements.values()) prepared.evict(statement)
}

/** The two directions of a session, between the driver and the socket. */
export interface Line {
  /** Closes the connection. The statement that waits for an answer fails with the cause. */
  readonly destroy: (cause: Error) => void
  /** Whether no statement since the property was set to true did more than read. */
  hasOnlyRead: boolean
  /** Whether a commit that was sent without the driver still waits for its answer. */
  isCommitting: boolean
  /** Whether a transaction is open, has not failed, and has no running statement. */
  readonly isInTransaction: () => boolean
  /** Gets each message of the server, and returns whether the driver gets it too. */
  onMessage: ((message: Message) => boolean) | undefined
  /** Replaces what the driver is about to write. Undefined: writes it as it is. */
  onWrite: ((bytes: Uint8Array) => Uint8Array) | undefined
  /** Writes bytes together with what the driver writes next, or alone if that does not come soon. */
  readonly writeSoon: (bytes: Uint8Array) => void
}

/**
 * How many turns of the event loop bytes wait for others. A busy process borrows the session
 * again within them, and in an idle one they pass in microseconds.
 */
const turnsHeld = 8

/**
 * The tags of statements whose transaction can lose nothing by a commit that fails. A read-only
 * transaction can write to temporary tables, and an app can end it and begin another one.
 */
const reading = /^(?:RELEASE|SAVEPOINT|SELECT|SET)\b/

const lines = new WeakMap<Session, Line>()

/** Returns the line of a session. All views of a session have the same one. */
export const lineOf = (session: PgSession): Line => {
  const own = ownOf(session)
  const known = lines.get(own)
  if (known !== undefined) return known
  const { dispatch } = own
  const { socket } = own.session
  const write: (bytes: Uint8Array) => boolean = socket.write.bind(socket)
  let isHeld = false
  let status: Message["status"]
  const release = () => {
    if (isHeld) socket.uncork()
    isHeld = false
  }
  const releaseAfter = (turns: number) => {
    if (turns === 0) release()
    else if (isHeld) setImmediate(releaseAfter, turns - 1)
  }
  const line: Line = {
    destroy: (cause) => {
      // What has already arrived would end the statement in another way.
      line.onMessage = () => false
      socket.destroy(cause)
    },
    hasOnlyRead: false,
    isCommitting: false,
    isInTransaction: () => status === "T" && own.consumer === undefined && socket.writable,
    onMessage: undefined,
    onWrite: undefined,
    writeSoon: (bytes) => {
      isHeld = true
      socket.cork()
      write(bytes)
      releaseAfter(turnsHeld)
    }
  }
  lines.set(own, line)
  socket.write = (bytes: Uint8Array) => {
    const isFree = write(line.onWrite === undefined ? bytes : line.onWrite(bytes))
    release()
    return isFree
  }
  own.dispatch = (message) => {
    if (message._tag === "ReadyForQuery") ({ status } = message)
    else if (message._tag === "CommandComplete" && !reading.test(message.commandTag ?? "")) {
      line.hasOnlyRead = false
    }
    if (line.onMessage === undefined || line.onMessage(message)) dispatch(message)
  }
  return line
}
