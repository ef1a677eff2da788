/**
 * Requests whose values and replies are cached in Redis, while Redis is frozen, goes on, is killed and starts
 * again. A request may take what it takes without the cache, and the time that a backend is waited for
 * (`cache.timeout`).
 * Run: node bench/cacheOutage.ts        Options: --seconds of each phase, --clients, --timeout in milliseconds
 */
import { spawn } from "node:child_process"
import { Agent, get } from "node:http"
import { setTimeout as pause } from "node:timers/promises"
import { parseArgs } from "node:util"
import * as Server from "./lib/Server.ts"
import { median } from "./lib/Statistics.ts"
import { table } from "./lib/Table.ts"

const { values } = parseArgs({
  options: {
    clients: { default: "40", type: "string" },
    seconds: { default: "4", type: "string" },
    timeout: { default: "250", type: "string" }
  }
})

const redisPort = await Server.freePort()
const startRedis = () =>
  spawn("redis-server", ["--port", String(redisPort), "--save", "", "--appendonly", "no"], {
    stdio: "ignore"
  })
let redis = startRedis()
process.on("exit", () => redis.kill("SIGKILL"))

const agent = new Agent({ keepAlive: true })

interface Reply {
  readonly isHit: boolean
  readonly millis: number
  readonly status: number
}

const ask = (port: number, path: string): Promise<Reply> => {
  const began = performance.now()
  return new Promise((done, fail) => {
    const request = get({ agent, host: "127.0.0.1", path, port }, (response) => {
      response.resume().on("error", fail)
      response.on("end", () =>
        done({
          isHit: response.headers["x-cache"] === "HIT",
          millis: performance.now() - began,
          status: response.statusCode!
        })
      )
    })
    request.on("error", fail)
  })
}

const phases: ReadonlyArray<readonly [name: string, begin: () => void]> = [
  ["Redis answers", () => {}],
  ["it is frozen", () => redis.kill("SIGSTOP")],
  ["it goes on", () => redis.kill("SIGCONT")],
  ["it is killed", () => redis.kill("SIGKILL")],
  [
    "it has started again",
    () => {
      redis = startRedis()
    }
  ]
]

const server = await Server.start(
  { arguments: [], name: "cacheOutage", optional: false, script: "cacheOutage", title: "Flange" },
  {
    environment: {
      FLANGE__CACHE__TIMEOUT: `${values.timeout}ms`,
      REDIS_URL: `redis://127.0.0.1:${redisPort}`
    },
    tier: "bare",
    until: "/value/0"
  }
)

/** The requests of a phase: those that begin in it. */
const measure = async (kind: string): Promise<ReadonlyArray<Reply>> => {
  const replies: Array<Reply> = []
  const end = performance.now() + Number(values.seconds) * 1000
  let count = 0
  await Promise.all(
    Array.from({ length: Number(values.clients) }, async () => {
      while (performance.now() < end)
        replies.push(await ask(server.port, `/${kind}/${count++ % 50}`))
    })
  )
  return replies
}

const lines: Array<ReadonlyArray<string>> = []
try {
  for (const kind of ["value", "reply"]) {
    await measure(kind)
    for (const [name, begin] of phases) {
      begin()
      const replies = await measure(kind)
      const millis = replies.map((reply) => reply.millis)
      lines.push([
        kind,
        name,
        String(replies.length),
        String(replies.filter(({ status }) => status !== 200).length),
        kind === "reply" ? String(replies.filter(({ isHit }) => isHit).length) : "",
        median(millis).toFixed(1),
        Math.max(...millis).toFixed(1)
      ])
    }
    await pause(1000)
  }
} finally {
  await server.stop()
  agent.destroy()
  redis.kill("SIGKILL")
}
console.log(
  `20 ms without the cache, cache.timeout ${values.timeout} ms, ${values.clients} clients`
)
console.log(table(["", "", "requests", "not 200", "hits", "median ms", "slowest ms"], lines))
