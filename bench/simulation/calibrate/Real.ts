/** Real processes: replicas, nginx if there are several, and the load of wrk. */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { Agent, get } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Pool } from "pg"
import { output } from "../../lib/Load.ts"
import * as Server from "../../lib/Server.ts"
import * as Steps from "../../lib/Steps.ts"

const url = process.env["TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/test"

/** The time for which each request computes, in milliseconds. */
export const millis = 1

/** The size of the pool of each replica. */
export const pool = 8

const steps = Steps.taking(millis)

export interface Measured {
  readonly p50: number
  readonly p99: number
  /** Replies with 200 per second. */
  readonly rate: number
}

/** What a request costs, in milliseconds. */
export interface Costs {
  /** The time of a backend of PostgreSQL on a core. */
  readonly backend: number
  /** The time of nginx on a core; undefined without nginx. */
  readonly balancer: number | undefined
  /** From request to reply, one request at a time. */
  readonly latencies: ReadonlyArray<number>
  /** The time of the replica on a core, with two requests at a time for each replica. */
  readonly process: number
  /** The time of the replica on a core with one request at a time. Each request then wakes the process up. */
  readonly single: number
}

export interface Fleet {
  readonly costs: (seconds: number) => Promise<Costs>
  readonly load: (connections: number, seconds: number) => Promise<Measured>
}

/** Milliseconds that a process ran on a core so far; undefined if it has ended. */
const cpuOf = (pid: number): number | undefined => {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
      const [nanos] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")
      return sum + Number(nanos) / 1e6
    }, 0)
  } catch {
    return undefined
  }
}

/** Returns a function that tells how long these processes have run since. Those that end count nothing. */
const running = (pids: ReadonlyArray<number>): (() => number) => {
  const before = pids.map(cpuOf)
  return () =>
    pids.reduce((sum, pid, i) => {
      const [from, until] = [before[i], cpuOf(pid)]
      return from === undefined || until === undefined ? sum : sum + until - from
    }, 0)
}

const ask = (agent: Agent, port: number) =>
  new Promise<number>((resolve, reject) => {
    const start = performance.now()
    get({ agent, host: "127.0.0.1", path: "/work", port }, (response) => {
      response.resume()
      response.on("end", () => {
        if (response.statusCode === 200) resolve(performance.now() - start)
        else reject(new Error(`/work was answered with ${response.statusCode}`))
      })
    }).on("error", reject)
  })

const inMillis = (text: string): number => {
  const [, number, unit] = /^([\d.]+)(us|ms|s|m)$/.exec(text) ?? []
  const factor = { m: 60_000, ms: 1, s: 1000, us: 0.001 }[unit ?? ""]
  if (factor === undefined) throw new Error(`wrk wrote the time ${text}`)
  return Number(number) * factor
}

const wrk = async (port: number, connections: number, seconds: number): Promise<Measured> => {
  const target = `http://127.0.0.1:${port}/work`
  const parameters = ["-t1", `-c${connections}`, `-d${seconds}s`, "--latency", target]
  const text = await output(["wrk", parameters])
  const read = (pattern: RegExp) => {
    const found = pattern.exec(text)?.[1]
    if (found === undefined) throw new Error(`wrk wrote no ${pattern}: ${text}`)
    return found
  }
  const all = Number(read(/Requests\/sec:\s+([\d.]+)/))
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0)
  return {
    p50: inMillis(read(/^\s+50%\s+(\d\S*)/m)),
    p99: inMillis(read(/^\s+99%\s+(\d\S*)/m)),
    rate: all - refused / seconds
  }
}

const configuration = (folder: string, port: number, ports: ReadonlyArray<number>) => `
daemon off;
error_log stderr warn;
pid ${folder}/nginx.pid;
worker_processes 1;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  fastcgi_temp_path ${folder}/fastcgi;
  proxy_temp_path ${folder}/proxy;
  scgi_temp_path ${folder}/scgi;
  uwsgi_temp_path ${folder}/uwsgi;
  upstream replicas {
${ports.map((each) => `    server 127.0.0.1:${each};`).join("\n")}
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 1000000;
    location / {
      proxy_http_version 1.1;
      proxy_pass http://replicas;
      proxy_set_header connection "";
    }
  }
}
`

interface Nginx {
  readonly pids: ReadonlyArray<number>
  readonly port: number
  readonly stop: () => Promise<void>
}

const startNginx = async (ports: ReadonlyArray<number>): Promise<Nginx> => {
  const folder = mkdtempSync(join(tmpdir(), "flange-nginx-"))
  const port = await Server.freePort()
  writeFileSync(join(folder, "nginx.conf"), configuration(folder, port, ports))
  const child = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf")], {
    stdio: ["ignore", "ignore", "inherit"]
  })
  const exited = new Promise<void>((resolve) => child.on("exit", () => resolve()))
  process.on("exit", () => child.kill("SIGKILL"))
  const agent = new Agent()
  for (let attempt = 0; ; attempt++) {
    try {
      await ask(agent, port)
      break
    } catch (error) {
      if (attempt === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")
  return {
    pids: children.split(" ").filter(Boolean).map(Number),
    port,
    stop: async () => {
      child.kill("SIGTERM")
      await exited
      rmSync(folder, { force: true, recursive: true })
    }
  }
}

/** Starts the replicas, and nginx if there are several, and stops them after `use`. */
export const whileServing = async (
  { overload, replicas }: { readonly overload: boolean; readonly replicas: number },
  use: (fleet: Fleet) => Promise<void>
): Promise<void> => {
  if (spawnSync("wrk", ["--version"]).error !== undefined) {
    throw new Error("There is no wrk: install it (apt-get install wrk)")
  }
  const servers: Array<Server.Server> = []
  const database = new Pool({ connectionString: url, max: 1 })
  let nginx: Nginx | undefined
  try {
    for (let i = 0; i < replicas; i++) {
      servers.push(
        await Server.start(
          {
            arguments: [],
            name: `replica ${i}`,
            optional: false,
            script: "simulated",
            title: "Flange"
          },
          {
            allCores: true,
            environment: {
              BENCH_GUARD: overload ? "on" : "off",
              BENCH_POOL: String(pool),
              BENCH_STEPS: String(steps),
              DATABASE_URL: url
            },
            tier: "bare",
            until: "/work"
          }
        )
      )
    }
    if (replicas > 1) nginx = await startNginx(servers.map(({ port }) => port))
    const port = nginx?.port ?? servers[0]!.port
    await use({
      costs: async (seconds) => {
        const { rows } = await database.query<{ pid: number }>(
          "select pid from pg_stat_activity where query like '%flange_simulated%' and pid <> pg_backend_pid()"
        )
        const backends = rows.map(({ pid }) => pid)
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        const process = () => servers.reduce((sum, { cpu }) => sum + 1000 * cpu(), 0)
        const start = process()
        const { rate } = await wrk(port, 2 * replicas, seconds)
        const cost = (process() - start) / (rate * seconds)
        const before = process()
        const backend = running(backends)
        const balancer = running(nginx?.pids ?? [])
        const latencies: Array<number> = []
        const end = performance.now() + 1000 * seconds
        while (performance.now() < end) latencies.push(await ask(agent, port))
        const { length } = latencies
        const costs: Costs = {
          backend: backend() / length,
          balancer: nginx === undefined ? undefined : balancer() / length,
          latencies,
          process: cost,
          single: (process() - before) / length
        }
        agent.destroy()
        return costs
      },
      load: (connections, seconds) => wrk(port, connections, seconds)
    })
  } finally {
    await nginx?.stop()
    await Promise.all(servers.map((server) => server.stop()))
    await database.end()
  }
}
