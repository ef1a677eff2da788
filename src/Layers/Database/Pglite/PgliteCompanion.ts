/**
 * The program of a process that keeps a data directory open while the app restarts. Opening it takes
 * longer than everything else in the start of an app. Its clients connect to a local socket, one
 * after another.
 */
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pipeline } from "node:stream"
import * as Effect from "effect/Effect"
import type { Report } from "../../../Plugin/Companion.ts"
import * as Pglite from "./Pglite.ts"
import * as PgliteWire from "./PgliteWire.ts"

const report = (report: Report) => process.send!(report)

/** A path for a socket. Only the user of the process may open the folder. */
const socketPath = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "flange-"))),
  (folder) => Effect.sync(() => rmSync(folder, { force: true, recursive: true }))
).pipe(
  Effect.map((folder) =>
    process.platform === "win32" ? `\\\\.\\pipe\\flange-${randomUUID()}` : join(folder, "pglite")
  )
)

const serve = Effect.gen(function* () {
  const disconnected = once(process, "disconnect")
  const { database, isPresent } = yield* Pglite.open(process.argv[2]!, process.ppid)
  const connect = PgliteWire.make(database)
  const path = yield* socketPath
  const server = createServer((client) => {
    const session = connect()
    // An app that was killed breaks its connection.
    pipeline(client, session, client, () => {})
  })
  yield* Effect.promise(() => once(server.listen(path), "listening"))
  report({ value: path })
  // A directory that was removed is made again by the next process.
  process.on("message", () => (isPresent() ? report({ value: path }) : process.disconnect()))
  yield* Effect.promise(() => disconnected)
})

// They reach all processes of a terminal or of a group, and this one ends with its parent.
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"]) process.on(signal, () => {})
await Effect.runPromise(
  Effect.scoped(serve).pipe(
    Effect.catch(({ dev, pid, reason }) =>
      Effect.sync(() => report({ error: { dev, pid, reason } }))
    )
  )
)
process.exit()
