// A producer or a worker of one library, in a process of its own. Its parent tells it what to do.
import { Pool } from "pg"
import type { Kind, Settings } from "./Kind.ts"

const [library = "", role = "", write = ""] = process.argv.slice(2)

const kinds: Record<string, () => Promise<Kind>> = {
  bullmq: async () => (await import("./bullmq.ts")).kind,
  "flange-postgres": async () => (await import("./flange.ts")).make("database"),
  "flange-redis": async () => (await import("./flange.ts")).make("redis"),
  "graphile-worker": async () => (await import("./graphileWorker.ts")).kind,
  "pg-boss": async () => (await import("./pgBoss.ts")).kind
}

const settings: Settings = {
  concurrency: Number(process.env["CONCURRENCY"]),
  database: process.env["DATABASE_URL"] ?? "",
  redis: process.env["REDIS_URL"] ?? ""
}

const kind = await kinds[library]!()
const send = (message: object) => process.send?.(message)
const now = () => performance.timeOrigin + performance.now()

process.on("disconnect", () => process.exit(0))

if (role === "work") {
  const pool = new Pool({ connectionString: settings.database, max: 10 })
  const warmup = Number(process.env["WARMUP"])
  if (warmup === 0) send({ first: 0 })
  const expected = warmup + Number(process.env["ITEMS"])
  let begin = 0
  let count = 0
  await kind.work(settings, async (data) => {
    const { probe } = data as { readonly probe?: number }
    if (probe !== undefined) {
      send({ latency: now() - probe })
      return
    }
    if (begin === 0) begin = now()
    if (write === "write") await pool.query("insert into bench_writes (n) values ($1)", [1])
    count++
    if (count === warmup) {
      const end = now()
      send({ first: end - begin })
      begin = end
    }
    if (count === expected) send({ drain: now() - begin })
  })
  send({ started: true })
} else {
  const producer = await kind.produce(settings)
  process.on("message", async (message: { readonly count: number; readonly probe?: true }) => {
    if (message.probe) {
      await producer.one({ probe: now() })
      return
    }
    const begin = now()
    const batch = 500
    for (let sent = 0; sent < message.count; sent += batch) {
      const size = Math.min(batch, message.count - sent)
      await producer.many(Array.from({ length: size }, (_, i) => ({ n: sent + i })))
    }
    const many = now() - begin
    send({ many })
  })
  send({ started: true })
}
