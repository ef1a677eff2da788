/**
 * Queues: how fast items are added and handled, and how soon an idle worker of another process begins one.
 * Flange in PostgreSQL against pg-boss and graphile-worker, and in Redis against BullMQ.
 * Run: node bench/queue.ts        Options: --quick --rounds --items --warmup --concurrency --peers a,b
 *
 * Each process first adds or handles the items of the warm-up, which V8 compiles in. Their rate is printed for
 * workers ("first"), but the ratios are those of the items after them.
 *
 * PostgreSQL is the one of TEST_POSTGRES_URL, or postgres://postgres@127.0.0.1:5432/test. Each library gets a
 * database of its own for each measurement. Redis is a process of its own that writes nothing to disk.
 */
import { type ChildProcess, fork, spawn } from "node:child_process"
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import { Client } from "pg"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import { median, ratios } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"

const { values } = parseArgs({
  options: {
    concurrency: { default: "10", type: "string" },
    items: { type: "string" },
    peers: { type: "string" },
    quick: { default: false, type: "boolean" },
    rounds: { type: "string" },
    warmup: { type: "string" }
  }
})
const rounds = Number(values.rounds ?? (values.quick ? 2 : 5))
const items = Number(values.items ?? (values.quick ? 2000 : 20_000))
const warmup = Number(values.warmup ?? (values.quick ? 2000 : 20_000))
const probes = values.quick ? 30 : 200
const admin = process.env["TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/test"

const groups = {
  postgres: ["flange-postgres", "pg-boss", "graphile-worker"],
  redis: ["flange-redis", "bullmq"]
}
const chosen = values.peers?.split(",")
const isChosen = (name: string) => chosen === undefined || chosen.includes(name)

const redisPort = await Server.freePort()
const redis = spawn(
  "redis-server",
  ["--port", String(redisPort), "--save", "", "--appendonly", "no"],
  {
    stdio: "ignore"
  }
)
process.on("exit", () => redis.kill())

const query = async (url: string, text: string) => {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

type Told = { readonly [key: string]: number | true }

/** Waits for a message that has the key. */
const told = (child: ChildProcess, key: string): Promise<number> =>
  new Promise((done, fail) => {
    const timer = setTimeout(() => end(new Error(`No "${key}" within two minutes`)), 120_000)
    const end = (result: Error | number) => {
      clearTimeout(timer)
      child.off("message", read).off("exit", gone)
      if (typeof result === "number") done(result)
      else fail(result)
    }
    const read = (message: Told) => {
      if (key in message) end(Number(message[key]))
    }
    const gone = () => end(new Error(`The process ended before "${key}"`))
    child.on("message", read).on("exit", gone)
  })

interface Measured {
  readonly drain: number
  readonly enqueue: number
  readonly first: number
  readonly p50: number
  readonly p99: number
}

/** The times that workers send, which may come before `measure` waits for them. */
const drains = new WeakMap<ChildProcess, Promise<readonly [first: number, drain: number]>>()

const drained = (child: ChildProcess) => drains.get(child)!

const start = async (
  library: string,
  role: string,
  url: string,
  write: string,
  children: Array<ChildProcess>
) => {
  const child = fork(
    resolve(import.meta.dirname, "servers/queues/process.ts"),
    [library, role, write],
    {
      env: {
        ...process.env,
        CONCURRENCY: values.concurrency,
        DATABASE_URL: url,
        FLANGE_ENV: "production",
        ITEMS: String(items),
        LOG_LEVEL: "error",
        REDIS_URL: `redis://127.0.0.1:${redisPort}`,
        WARMUP: String(warmup)
      },
      stdio: ["ignore", "ignore", "inherit", "ipc"]
    }
  )
  children.push(child)
  const started = told(child, "started")
  if (role === "work") drains.set(child, Promise.all([told(child, "first"), told(child, "drain")]))
  await started
  return child
}

const stop = (child: ChildProcess) =>
  new Promise<void>((done) => {
    child.once("exit", () => done())
    child.kill("SIGKILL")
  })

let databases = 0

const measure = async (library: string, write: "noop" | "write"): Promise<Measured> => {
  const name = `bench_queue_${process.pid}_${databases++}`
  await query(admin, `create database ${name}`)
  const url = new URL(admin)
  url.pathname = `/${name}`
  const children: Array<ChildProcess> = []
  try {
    await query(url.href, "create table bench_writes (n int)")
    const producer = await start(library, "produce", url.href, write, children)
    // The items are stored before the worker starts: enqueueing does not compete with handling.
    const add = (count: number) => {
      const stored = told(producer, "many")
      producer.send({ count })
      return stored
    }
    await add(warmup)
    const many = await add(items)
    const worker = await start(library, "work", url.href, write, children)
    const [first, drain] = await drained(worker)
    const latencies: Array<number> = []
    for (let i = 0; i < probes; i++) {
      const arrived = told(worker, "latency")
      producer.send({ count: 0, probe: true })
      latencies.push(await arrived)
      await new Promise((done) => setTimeout(done, 20 + Math.random() * 80))
    }
    latencies.sort((a, b) => a - b)
    const at = (share: number) =>
      latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]!
    return {
      drain: items / (drain / 1000),
      enqueue: items / (many / 1000),
      first: warmup / (first / 1000),
      p50: at(0.5),
      p99: at(0.99)
    }
  } finally {
    await Promise.all(children.map(stop))
    await query(admin, `drop database ${name} with (force)`)
  }
}

const noise = new Report.Noise()
const results: Record<string, object> = {}
try {
  for (const [group, all] of Object.entries(groups)) {
    const libraries = all.filter(isChosen)
    if (libraries.length === 0) continue
    for (const write of ["noop", "write"] as const) {
      const measured = new Map<string, Array<Measured>>(libraries.map((name) => [name, []]))
      for (let round = 0; round < rounds; round++) {
        await noise.sample()
        // Each round begins with another library.
        for (let i = 0; i < libraries.length; i++) {
          const name = libraries[(i + round) % libraries.length]!
          measured.get(name)!.push(await measure(name, write))
        }
      }
      const of = (name: string, key: keyof Measured) => measured.get(name)!.map((one) => one[key])
      // The ratio is to the best of the others in the same round.
      const best = (name: string, key: "drain" | "enqueue") =>
        of(name, key).map((own, round) => {
          const others = libraries.filter((other) => other !== name)
          return others.length === 0
            ? own
            : Math.max(...others.map((other) => of(other, key)[round]!))
        })
      const rows = libraries.map((name) => ({
        drain: Math.round(median(of(name, "drain"))),
        drainRatio: ratios(of(name, "drain"), best(name, "drain")),
        enqueue: Math.round(median(of(name, "enqueue"))),
        enqueueRatio: ratios(of(name, "enqueue"), best(name, "enqueue")),
        first: Math.round(median(of(name, "first"))),
        name,
        p50: median(of(name, "p50")),
        p99: median(of(name, "p99"))
      }))
      results[`${group}, ${write}`] = rows
      console.log(
        `\n${group}, ${write === "noop" ? "nothing to do" : "one insert each"}: median (min to max)\n`
      )
      console.log(
        table(
          [
            "",
            "added/s",
            "ratio to best other",
            "handled/s",
            "ratio to best other",
            "first/s",
            "pickup p50 ms",
            "p99 ms"
          ],
          rows.map((row) => [
            row.name,
            String(row.enqueue),
            cell(row.enqueueRatio),
            String(row.drain),
            cell(row.drainRatio),
            String(row.first),
            row.p50.toFixed(1),
            row.p99.toFixed(1)
          ])
        )
      )
    }
  }
} finally {
  redis.kill()
}
const circumstances = Report.circumstances(
  { client: "none", quick: values.quick, rounds, seconds: 0 },
  noise
)
console.log(`\n${Report.describeWithoutLoad(circumstances)}`)
const suffix = chosen === undefined ? (values.quick ? ".quick" : "") : ".partial"
Report.write(`queue${suffix}.json`, {
  circumstances,
  concurrency: Number(values.concurrency),
  items,
  results,
  warmup
})
process.exit(0)
