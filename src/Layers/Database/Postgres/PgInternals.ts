/**
 * The private members of sql-pg that Flange uses. If a version of sql-pg differs,
 * `test/Layers/Database/Postgres/PgInternals.test.ts` fails.
 */
import type { PgConnection as PgSession } from "@effect/sql-pg/PgConnection"

/** A message of the server. */
interface Message {
  readonly _tag: string
  readonly fields?: ReadonlyArray<{ readonly dataTypeOid: number }>
}

interface Session {
  /** The session behind one that `reserve` returned. */
  readonly base?: Session
  dispatch: (message: Message) => void
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
  const given = session as unknown as Session // not in the interface of the driver
  const own = given.base ?? given
  if (watched.has(own)) return
  watched.add(own)
  const { dispatch } = own
  own.dispatch = (message) => {
    if (message._tag === "RowDescription") {
      described(message.fields!.map(({ dataTypeOid }) => dataTypeOid))
    }
    dispatch(message)
  }
}
