/** A PostgreSQL server of its own, which a test may kill and start again. */
import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

const folder = "/usr/lib/postgresql/15/bin"
const isRoot = process.getuid?.() === 0

/** Why no server can be started here; undefined if one can. */
export const unavailable = !existsSync(join(folder, "initdb"))
  ? `PostgreSQL 15 is not in ${folder}: install it`
  : isRoot && !existsSync("/usr/sbin/runuser")
    ? "initdb refuses root, and /usr/sbin/runuser is not there: run the tests as another user"
    : undefined

const call = (program: string, ...args: ReadonlyArray<string>) => {
  const command = [join(folder, program), ...args]
  // `initdb` refuses root.
  const whole = isRoot ? ["/usr/sbin/runuser", "-u", "postgres", "--", ...command] : command
  execFileSync(whole[0]!, whole.slice(1), { cwd: "/", stdio: ["ignore", "ignore", "pipe"] })
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" ? address!.port : 0))
    })
  })

/** Starts a server. `restart` kills its processes without a checkpoint and starts it again. */
export const make: Effect.Effect<
  { readonly restart: Effect.Effect<void>; readonly url: string },
  never,
  Scope.Scope
> = Effect.gen(function* () {
  const port = yield* Effect.promise(freePort)
  const data = mkdtempSync("/tmp/flange-postgres-")
  if (isRoot) execFileSync("chown", ["postgres", data])
  const options = `-p ${port} -k ${data} -c listen_addresses=127.0.0.1 -c max_connections=50`
  const control = (action: string, ...more: ReadonlyArray<string>) =>
    Effect.sync(() =>
      call("pg_ctl", action, "-w", "-D", data, "-l", join(data, "log"), "-o", options, ...more)
    )
  yield* Effect.acquireRelease(
    Effect.andThen(
      Effect.sync(() => call("initdb", "-D", data, "-U", "postgres", "--auth=trust", "-N")),
      control("start")
    ),
    () =>
      Effect.andThen(
        Effect.ignoreCause(control("stop", "-m", "immediate")),
        Effect.sync(() => rmSync(data, { force: true, recursive: true }))
      )
  )
  return {
    restart: control("restart", "-m", "immediate"),
    url: `postgres://postgres@127.0.0.1:${port}/postgres`
  }
})
