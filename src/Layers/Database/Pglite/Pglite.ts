/**
 * PGlite: PostgreSQL inside this process.
 *
 * It has one session and one connection, so transactions run one after another. A
 * statement cannot be cancelled, and blocks the process while it runs. Users,
 * `statement_timeout` and the extensions of a server are missing.
 */
import { closeSync, fstatSync, openSync, statSync } from "node:fs"
import { connect } from "node:net"
import { extname, join, resolve } from "node:path"
import { PGlite } from "@electric-sql/pglite"
import * as Effect from "effect/Effect"
import * as Thrown from "../../../Config/Thrown.ts"
import { Companion } from "../../../Plugin/Companion.ts"
import type { Embedded } from "../DatabaseUrl.ts"
import { DataDirectoryError } from "../Errors.ts"
import * as MigrationLock from "../Migration/MigrationLock.ts"
import * as PgPoolClient from "../Postgres/PgPoolClient.ts"
import * as DataDirectory from "./DataDirectory.ts"
import * as PgliteFiles from "./PgliteFiles.ts"
import * as PgliteWire from "./PgliteWire.ts"

/**
 * PGlite's default for `shared_buffers`, 128 MB, is most of the memory and a third of
 * the time of a start. The files are in memory already, or in the cache of the system.
 */
const startParams = [...PGlite.defaultStartParams, "-c", "shared_buffers=16MB"]

/** A database that is open. */
interface Opened {
  readonly close: () => Promise<void>
  readonly database: PGlite
  /** Whether its directory is still there: a user may remove or replace it. */
  readonly isPresent: () => boolean
}

const create = async (directory: string | undefined): Promise<Opened> => {
  if (directory === undefined) {
    const database = await PGlite.create({ fs: await PgliteFiles.inMemory(), startParams })
    return { close: () => database.close(), database, isPresent: () => true }
  }
  await PgliteFiles.fill(directory)
  const database = await PGlite.create(directory, { startParams })
  const path = join(directory, PgliteFiles.marker)
  // As long as the file is open, no other one gets its number.
  const file = openSync(path, "r")
  const { ino } = fstatSync(file)
  const isPresent = () => statSync(path, { throwIfNoEntry: false })?.ino === ino
  return {
    close: async () => {
      // Closing writes files by their names, into a directory that may belong to another database.
      if (isPresent()) await database.close()
      closeSync(file)
    },
    database,
    isPresent
  }
}

/**
 * Opens a directory, or a database in memory. Closing the scope writes all data and closes it. The
 * lock of the directory names the process of `flange dev` if that is given.
 */
export const open = Effect.fnUntraced(function* (path: string | undefined, dev?: number) {
  const directory = path === undefined ? undefined : yield* DataDirectory.acquire(path, dev)
  return yield* Effect.acquireRelease(
    Effect.tryPromise({
      catch: (cause) =>
        new DataDirectoryError({
          dev: undefined,
          directory: directory ?? "memory",
          pid: undefined,
          reason: Thrown.messageOf(cause)
        }),
      try: () => create(directory)
    }),
    ({ close }) => Effect.promise(close)
  )
})

const companionProgram = join(
  import.meta.dirname,
  `PgliteCompanion${extname(import.meta.filename)}`
)

/** Returns a function that connects to the directory that a companion has open. */
const openInCompanion = (companion: Companion, path: string) => {
  const directory = resolve(path)
  return companion(companionProgram, directory).pipe(
    Effect.mapError((error) => {
      // The program of the companion reports them. A message leaves out what is undefined.
      const { dev, pid, reason } = error as Pick<DataDirectoryError, "dev" | "pid" | "reason">
      return new DataDirectoryError({ dev, directory, pid, reason })
    }),
    Effect.map((socket) => () => connect(socket))
  )
}

/**
 * Opens the database. Its statements have comments if `comments` is true. Closing the scope writes all data and closes the database, unless a companion
 * keeps it open.
 */
export const make = Effect.fnUntraced(function* (
  target: Embedded,
  settings: Pick<PgPoolClient.Options["bounds"], "acquireTimeout">,
  comments = false
) {
  const companion = yield* Companion
  const { directory } = target
  const stream =
    companion === undefined || directory === undefined
      ? PgliteWire.make((yield* open(directory)).database)
      : yield* openInCompanion(companion, directory)
  const client = yield* PgPoolClient.make({
    attributes: { "db.namespace": "postgres" },
    bounds: { acquireTimeout: settings.acquireTimeout, maxConnections: 1 },
    comments,
    driver: "pglite",
    name: "pglite",
    pool: {
      applicationName: "flange",
      // A new connection would discard the state of the session.
      idleTimeout: "1 day",
      // A long statement blocks the process, and with it the attempt to connect.
      connectTimeout: "1 minute",
      database: "postgres",
      maxConnections: 1,
      stream,
      username: "postgres"
    },
    statementTimeout: undefined
  })
  return MigrationLock.embed(client)
})
