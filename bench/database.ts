/**
 * Endpoints with one query, a page, an insert, ten queries and a read with an update: Fastify with
 * `pg` and with `postgres`, stock HttpApi with @effect/sql-pg, and Flange with its reads outside
 * and inside a transaction. The ratios are to the better driver of Fastify, in the same round. The
 * writes of every server run in a transaction.
 * Run: node bench/database.ts        Options: --rounds --seconds --client --quick --peers
 * PostgreSQL is the one of TEST_POSTGRES_URL, or postgres://postgres@127.0.0.1:5432/test.
 */
import { Client } from "pg"
import * as Options from "./lib/Options.ts"
import * as Paired from "./lib/Paired.ts"
import type { Peer } from "./lib/Peers.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import type { Endpoint, Request } from "./lib/Workload.ts"
import { cleanUp, maxConnections, rows, schema } from "./servers/database/Contract.ts"

const options = Options.parse({ quick: { rounds: 3, seconds: 1 }, rounds: 7, seconds: 3 })
const noise = new Report.Noise()
const url = process.env["TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/test"

const run = async (statements: ReadonlyArray<string>) => {
  const client = new Client(url)
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}

/** Requests wait for a connection, as they do in a busy service. */
const connections = 2 * maxConnections

/** Numbers that come in no order, so that neighbours do not wait for one row. */
const ids = Array.from({ length: 500 }, (_, i) => ((i * 7919) % (rows - 50)) + 1)

const endpoint = (name: string, request: (id: number) => Omit<Request, "headers">): Endpoint => ({
  connections,
  name,
  requests: ids.map((id) => {
    const { body, ...rest } = request(id)
    return body === undefined
      ? { ...rest, headers: {} }
      : { ...rest, body, headers: { "content-type": "application/json" } }
  })
})

const endpoints = [
  endpoint("read by id", (id) => ({ method: "GET", path: `/items/${id}` })),
  endpoint("page of 20", (id) => ({ method: "GET", path: `/items?after=${id}` })),
  endpoint("insert", (id) => ({
    body: JSON.stringify({ name: `Item ${id}`, price: id }),
    method: "POST",
    path: "/items"
  })),
  endpoint("10 queries", (id) => ({ method: "GET", path: `/items/${id}/many` })),
  endpoint("read and update", (id) => ({ method: "POST", path: `/items/${id}/raise` }))
]

interface Variant {
  readonly arguments?: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string>>
  readonly name: string
  readonly script: string
}

const flange = (listener: string, reads: string): Variant => ({
  arguments: ["--listener", listener],
  environment: { READS: reads },
  name: `Flange, ${listener}, ${reads} reads`,
  script: "database/flange"
})

/** The first two are what the others are compared with. */
const bases = 2

const variants: ReadonlyArray<Variant> = [
  { environment: { DRIVER: "pg" }, name: "Fastify, pg", script: "database/fastify" },
  { environment: { DRIVER: "postgres" }, name: "Fastify, postgres", script: "database/fastify" },
  { name: "HttpApi, @effect/sql-pg", script: "database/httpapi" },
  flange("node", "plain"),
  flange("proxied", "plain"),
  flange("node", "transactional"),
  flange("proxied", "transactional")
]

const results: Record<string, ReadonlyArray<Paired.Result>> = {}
const servers: Array<{ readonly name: string; readonly server: Server.Server }> = []
await run(schema)
try {
  for (const { arguments: parameters = [], environment, name, script } of variants) {
    const peer: Peer = { arguments: parameters, name, optional: false, script, title: name }
    const server = await Server.start(peer, {
      environment: { ...environment, DATABASE_URL: url },
      tier: "bare",
      until: "/items/1"
    })
    servers.push({ name, server })
  }
  for (const endpoint of endpoints) {
    const candidates = servers.map(({ name, server }) => ({ endpoint, name, server }))
    results[endpoint.name] = await Paired.measure(candidates, options, noise, bases)
  }
} finally {
  await Promise.all(servers.map(({ server }) => server.stop()))
  await run([cleanUp])
}

Paired.print("Endpoints with queries, ratio to the better driver of Fastify", results)
const circumstances = Report.circumstances(options, noise)
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("database", options)}.json`, { circumstances, results })
