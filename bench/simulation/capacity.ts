/**
 * A calculator of capacity: how many replicas and connections a load needs, from the costs of a request.
 * Run: node bench/simulation/capacity.ts        Options: --rate --cpu --hold --query --workers
 * It prints the worked example of docs/scale.md without --rate.
 */
import { readFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { markdown } from "./Markdown.ts"
import { format } from "./Scenario.ts"

/** What is known of a load and of a service. Times are in milliseconds. */
export interface Demand {
  /** Connections that each process needs beside its pool. */
  readonly besidePool: number
  /** The time of a process on a core for each request. */
  readonly cpu: number
  /** The time in which a request holds a connection. */
  readonly hold: number
  /** The time on a core of the database for each request. */
  readonly query: number
  /** Requests per second at the peak. */
  readonly rate: number
  /** Connections that the database keeps for administrators. */
  readonly reserved: number
  /** Processes that a deploy starts before it ends old ones. */
  readonly surge: number
  /** How busy a core and the pool may be, 0 to 1. */
  readonly utilization: number
  /** Processes of each replica (`server.workers`). */
  readonly workers: number
}

export interface Capacity {
  /** Connections that the database must allow. */
  readonly connections: number
  /** Cores of the database. */
  readonly databaseCores: number
  /** Connections in use at the same time, by Little's law. */
  readonly inUse: number
  /** `database.maxConnections` of each process. */
  readonly pool: number
  readonly processes: number
  readonly replicas: number
}

const positive = (demand: Demand): void => {
  for (const [key, value] of Object.entries(demand)) {
    const isCount = key === "besidePool" || key === "reserved" || key === "surge" || key === "query"
    if (!Number.isFinite(value) || value < 0 || (value === 0 && !isCount)) {
      throw new Error(`${key} is ${value}: write a number above 0`)
    }
  }
  if (demand.utilization > 1) {
    throw new Error(`utilization is ${demand.utilization}: write a number up to 1`)
  }
}

/** Returns what a demand needs. Throws an error that names a value which is not possible. */
export const capacity = (demand: Demand): Capacity => {
  positive(demand)
  const { besidePool, cpu, hold, query, rate, reserved, surge, utilization, workers } = demand
  const busy = (rate * cpu) / 1000
  // One replica more, so that the loss of one is not an overload.
  const replicas = Math.ceil(busy / utilization / workers) + 1
  const processes = replicas * workers
  const inUse = (rate * hold) / 1000
  // The replicas that are left when one is away share the connections in use.
  const pool = Math.max(2, Math.ceil(inUse / utilization / ((replicas - 1) * workers)))
  return {
    connections: (processes + surge) * (pool + besidePool) + reserved,
    databaseCores: Math.ceil((rate * query) / 1000 / utilization),
    inUse,
    pool,
    processes,
    replicas
  }
}

/** Returns the greatest pool of each process that a database with so many connections allows. */
export const largestPool = (
  maxConnections: number,
  processes: number,
  { besidePool, reserved, surge }: Pick<Demand, "besidePool" | "reserved" | "surge">
): number => Math.max(0, Math.floor((maxConnections - reserved) / (processes + surge)) - besidePool)

interface Measured {
  readonly cpuPerRequest: number
  readonly name: string
}

const results = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../results/${name}.json`, import.meta.url), "utf8"))

/** The time of a process on a core for each kind of request, in milliseconds, from `bench/results`. */
export const costs = (): Readonly<Record<string, number>> => {
  // The files are written by bench/run.ts and bench/database.ts.
  const { tiers } = results("latest") as {
    readonly tiers: Readonly<
      Record<
        string,
        {
          readonly perCpu: Readonly<
            Record<
              string,
              { readonly columns: Readonly<Record<string, { readonly values: Array<number> }>> }
            >
          >
        }
      >
    >
  }
  const database = results("database") as {
    readonly results: Readonly<Record<string, ReadonlyArray<Measured>>>
  }
  const of = (tier: string, column: string) => {
    const { values } = tiers[tier]!.perCpu["flange"]!.columns[column]!
    return 1000 / [...values].sort((a, b) => a - b)[values.length >> 1]!
  }
  const query = (kind: string, reads: string) =>
    database.results[kind]!.find(({ name }) => name === `Flange, node, ${reads}`)!.cpuPerRequest /
    1000
  return {
    "JSON, no middleware (`run.ts`)": of("bare", "json"),
    "token, rate limit, access log, validation: a read (`run.ts`)": of("production", "read"),
    "the same: a create (`run.ts`)": of("production", "create"),
    "a row by its id (`database.ts`)": query("read by id", "plain reads"),
    "the same in a transaction (`database.ts`)": query("read by id", "transactional reads"),
    "a page of 20 rows (`database.ts`)": query("page of 20", "plain reads"),
    "an insert in a transaction (`database.ts`)": query("insert", "transactional reads"),
    "10 queries in a transaction (`database.ts`)": query("10 queries", "transactional reads")
  }
}

/** The demand of the worked example, but for its rate. */
export const example: Omit<Demand, "rate"> = {
  besidePool: 1,
  cpu: 0.5,
  hold: 5,
  query: 0.2,
  reserved: 3,
  surge: 1,
  utilization: 0.6,
  workers: 1
}

/** Returns the table of what a core serves. */
export const costTable = (): string =>
  markdown(
    ["request", "CPU, ms", "requests/s at 60% of a core"],
    Object.entries(costs()).map(([kind, cpu]) => [kind, format(cpu), format(600 / cpu)])
  )

const row = (demand: Demand) => {
  const all = capacity(demand)
  return [
    String(demand.rate),
    String(all.replicas),
    format(all.inUse),
    String(all.pool),
    String(all.connections),
    String(all.databaseCores)
  ]
}

/** Returns the table of the worked example. */
export const exampleTable = (): string =>
  markdown(
    ["requests/s", "replicas", "connections in use", "pool", "max_connections", "database cores"],
    [1000, 10_000, 100_000].map((rate) => row({ ...example, rate }))
  )

const main = () => {
  const text = { type: "string" } as const
  const { values } = parseArgs({
    options: { cpu: text, hold: text, query: text, rate: text, workers: text }
  })
  if (values.rate === undefined) return console.log(`${costTable()}\n\n${exampleTable()}`)
  const given = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, Number(value)])
  )
  console.log(
    JSON.stringify(capacity({ ...example, rate: Number(values.rate), ...given }), null, 2)
  )
}

if (import.meta.main) main()
