/** A PostgreSQL server of the test's own, which it may kill. */
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, existsSync, globSync, mkdtempSync, rmSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

const programs = globSync("/usr/lib/postgresql/*/bin").toSorted().at(-1)

const isRoot = process.getuid?.() === 0

/** PostgreSQL refuses to run as root. */
const command = (
  name: string,
  parameters: ReadonlyArray<string>
): readonly [string, ReadonlyArray<string>] =>
  isRoot
    ? ["runuser", ["-u", "postgres", "--", join(programs!, name), ...parameters]]
    : [join(programs!, name), parameters]

/** Why there can be no cluster; undefined where there can. */
export const obstacle: string | undefined = (() => {
  if (programs === undefined || !existsSync(join(programs, "initdb"))) {
    return "no initdb in /usr/lib/postgresql"
  }
  try {
    execFileSync(...(command("postgres", ["--version"]) as [string, Array<string>]))
    return undefined
  } catch (cause) {
    return `PostgreSQL cannot be run: ${String(cause).split("\n", 1)[0]}`
  }
})()

const run = (name: string, ...parameters: ReadonlyArray<string>) => {
  const [program, all] = command(name, parameters)
  execFileSync(program, all, { cwd: tmpdir(), stdio: "ignore" })
}

export interface Cluster {
  /** Ends every process of it at once, without any order. */
  readonly kill: () => Promise<void>
  readonly remove: () => Promise<void>
  readonly start: () => Promise<void>
  readonly url: string
}

export const make = async (): Promise<Cluster> => {
  const folder = mkdtempSync(join(tmpdir(), "flange-postgres-"))
  if (isRoot) chmodSync(folder, 0o777)
  const data = join(folder, "data")
  run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")
  const probe = createServer().listen(0, "127.0.0.1")
  await once(probe, "listening")
  const { port } = probe.address() as AddressInfo
  probe.close()
  const start = async () => {
    const settings = `-p ${port} -k ${folder} -h 127.0.0.1 -c fsync=on`
    const [program, all] = command("pg_ctl", ["-D", data, "-w", "-o", settings, "start"])
    const child = spawn(program, all, { cwd: tmpdir(), stdio: "ignore" })
    await once(child, "exit")
  }
  const kill = async () => run("pg_ctl", "-D", data, "-m", "immediate", "stop")
  await start()
  return {
    kill,
    remove: async () => {
      try {
        await kill()
      } catch {
        // It does not run.
      }
      rmSync(folder, { force: true, recursive: true })
    },
    start,
    url: `postgres://postgres@127.0.0.1:${port}/postgres`
  }
}
