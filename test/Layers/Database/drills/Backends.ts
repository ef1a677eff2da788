/** The databases that the transaction tests run on. */
import { connect } from "node:net"
import { describe } from "vitest"

export interface Backend {
  readonly name: "MySQL" | "PGlite" | "PostgreSQL"
  readonly url: string
}

const answers = (url: string) =>
  new Promise<boolean>((resolve) => {
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port), timeout: 2000 })
    const end = (is: boolean) => () => {
      socket.destroy()
      resolve(is)
    }
    socket.on("connect", end(true)).on("error", end(false)).on("timeout", end(false))
  })

const server = async (name: Backend["name"], variable: string, otherwise: string) => {
  const url = process.env[variable] ?? otherwise
  if (await answers(url)) return { name, url }
  const reason = `nothing answers at ${new URL(url).host} (${variable})`
  if (process.env["CI_SERVICES"] === "required") throw new Error(`${name}: ${reason}`)
  console.warn(`${name} is skipped: ${reason}`)
  return { name, reason, url }
}

const embedded = { name: "PGlite", url: "pglite://memory" } as const

export const postgres = await server(
  "PostgreSQL",
  "TEST_POSTGRES_URL",
  "postgres://postgres@127.0.0.1:5432/test"
)

export const mysql = await server("MySQL", "TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306/test")

type Wanted = Backend & { readonly reason?: string }

const run = (wanted: ReadonlyArray<Wanted>, suite: (backend: Backend) => void) => {
  for (const backend of wanted) {
    if (backend.reason === undefined) describe(backend.name, () => suite(backend))
    else describe.skip(`${backend.name}: ${backend.reason}`, () => suite(backend))
  }
}

/** Runs the suite on every database. */
export const onAll = (suite: (backend: Backend) => void) =>
  run([embedded, mysql as Wanted, postgres as Wanted], suite)

/** Runs the suite on those with more than one connection. */
export const onServers = (suite: (backend: Backend) => void) =>
  run([mysql as Wanted, postgres as Wanted], suite)

/** Runs the suite on MySQL or MariaDB. */
export const onMySql = (suite: (backend: Backend) => void) => run([mysql as Wanted], suite)

/** Runs the suite on PostgreSQL, and on PGlite where its one connection is enough. */
export const onPostgres = (suite: (backend: Backend) => void) =>
  run([embedded, postgres as Wanted], suite)
