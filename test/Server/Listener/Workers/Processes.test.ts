// Real processes: a supervisor, its workers, and clients on real connections.
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import * as Http from "node:http"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { bareEnvironment } from "../../../environment.ts"

const root = join(import.meta.dirname, "../../../..")
const running = new Set<ChildProcess>()

afterEach(() => {
  for (const { pid } of running) {
    try {
      process.kill(-pid!, "SIGKILL")
    } catch {
      // The group has ended.
    }
  }
  running.clear()
})

/** Starts the fixture in a process group of its own, so that a test can do what a terminal does. */
const start = (variables: Readonly<Record<string, string>> = {}) => {
  const child = spawn(
    join(root, "node_modules/.bin/node"),
    ["--conditions=flange-source", join(import.meta.dirname, "fixtures/app.ts")],
    {
      detached: true,
      env: { ...bareEnvironment, FLANGE__SERVER__WORKERS: "2", PORT: "0", ...variables },
      stdio: "pipe"
    }
  )
  running.add(child)
  const output = { err: "", out: "" }
  const watchers = new Set<() => void>()
  let hasClosed = false
  const told = () => {
    for (const look of watchers) look()
  }
  // With the workers, which have its output too.
  const closed = new Promise<void>((resolve) => {
    child.once("close", () => {
      hasClosed = true
      resolve()
      told()
    })
  })
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve))
  for (const [name, stream] of [
    ["err", child.stderr],
    ["out", child.stdout]
  ] as const) {
    stream.on("data", (chunk: Buffer) => {
      output[name] += chunk.toString()
      told()
    })
  }
  /** Waits until stdout matches, or stderr, and returns what the pattern captures each time. */
  const said = (pattern: RegExp, times = 1, where: keyof typeof output = "out") =>
    new Promise<ReadonlyArray<string>>((resolve, reject) => {
      const look = () => {
        const found = [...output[where].matchAll(pattern)].map((match) => match[1] ?? match[0])
        if (found.length >= times) resolve(found)
        else if (hasClosed) {
          reject(new Error(`ended before ${String(pattern)}: ${output.out}${output.err}`))
        } else return
        watchers.delete(look)
      }
      watchers.add(look)
      look()
    })
  return {
    address: async () => (await said(/listens on (\S+)/g))[0]!,
    closed,
    exited,
    group: (signal: NodeJS.Signals) => process.kill(-child.pid!, signal),
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    output,
    pid: child.pid,
    said,
    serves: () => said(/2 workers serve/g)
  }
}

/** Whether a process has ended. Its parent may not have looked at it. */
const hasEnded = (pid: number): boolean => {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return true
  }
}

const text = async (url: string) => (await fetch(url)).text()

/** Sends one request after the other, on one connection or each on its own, until `stop`. */
const load = (address: string, keepAlive: boolean) => {
  const agent = new Http.Agent({ keepAlive, maxSockets: 1 })
  const seen = { lost: [] as Array<string>, pids: new Set<string>(), replies: 0 }
  const until = new AbortController()
  const one = (method: "GET" | "POST") =>
    new Promise<void>((resolve) => {
      const url = method === "GET" ? `${address}/pid` : `${address}/sum`
      const headers = method === "GET" ? {} : { "content-type": "application/json" }
      const request = Http.request(url, { agent, headers, method }, (reply) => {
        let body = ""
        reply.on("data", (chunk: Buffer) => (body += chunk.toString()))
        reply.on("error", (error) => seen.lost.push(String(error)))
        reply.on("close", () => {
          if (reply.statusCode !== 200) seen.lost.push(`${reply.statusCode} ${body}`)
          else if (method === "GET") seen.pids.add(body)
          else if (body !== "6") seen.lost.push(body)
          seen.replies++
          resolve()
        })
      })
      request.on("error", (error) => {
        seen.lost.push(String(error))
        resolve()
      })
      request.end(method === "GET" ? undefined : "[1,2,3]")
    })
  const done = (async () => {
    while (!until.signal.aborted) {
      await one("GET")
      await one("POST")
    }
    agent.destroy()
  })()
  return {
    seen,
    stop: () => {
      until.abort()
      return done
    }
  }
}

describe("two workers", () => {
  it("serve one port, survive a kill, and are replaced under load without a lost request", async () => {
    const folder = mkdtempSync(join(tmpdir(), "flange-workers-"))
    const app = start({ FAIL: join(folder, "FAIL") })
    const address = await app.address()
    await app.serves()
    const first = new Set(await app.said(/^ready (\d+)$/gm, 2))

    // Connections are handed out in turn.
    const clients = [true, true, false, false].map((keepAlive) => load(address, keepAlive))
    await Promise.all(
      clients.map(async ({ seen }) => {
        while (seen.replies < 10) await new Promise((resolve) => setImmediate(resolve))
      })
    )
    expect(new Set(clients.flatMap(({ seen }) => [...seen.pids]))).toEqual(first)

    app.kill("SIGHUP")
    await app.said(/Reload ended: all workers are new/g)
    await Promise.all(clients.map(({ stop }) => stop()))
    expect(clients.flatMap(({ seen }) => seen.lost)).toEqual([])
    const all = await app.said(/^ready (\d+)$/gm, 4)
    const pids = new Set(clients.flatMap(({ seen }) => [...seen.pids]))
    expect([...pids].every((pid) => all.includes(pid))).toBe(true)
    expect(all.slice(2).some((pid) => pids.has(pid))).toBe(true)
    expect(await app.said(/^draining (\d+)$/gm, 2)).toHaveLength(2)

    // The totals have what the workers that ended had counted.
    const replies = clients.reduce((sum, { seen }) => sum + seen.replies, 0)
    const count = /_count\{[^}]*http_route="\/pid"[^}]*\} (\d+)/
    const counted = async () => Number(count.exec(await text(`${address}/metrics`))?.[1])
    expect(await counted()).toBe(replies / 2)

    const [victim] = all.slice(2)
    process.kill(Number(victim), "SIGKILL")
    await app.said(/Worker \d ended with signal SIGKILL, restarts in \d+ms/g)
    expect(await counted()).toBe(replies / 2)
    await app.said(/Worker \d serves again/g)
    const metrics = await text(`${address}/metrics`)
    expect(metrics).toMatch(/^flange_worker_restarts_total\{flange_worker="\d"\} 1$/m)
    const health = JSON.parse(await text(`${address}/healthcheck`))
    expect(
      health.workers.map(({ number, status }: { number: number; status: string }) => [
        number,
        status
      ])
    ).toEqual([
      [1, "serving"],
      [2, "serving"]
    ])
    expect(metrics.match(/^process_uptime_seconds\{.*$/gm)).toHaveLength(2)

    // A new version that does not start changes nothing.
    writeFileSync(join(folder, "FAIL"), "")
    app.kill("SIGHUP")
    await app.said(/Reload ended: the new worker 1 ended with exit code 1 before it served/g)
    await app.said(/The file FAIL exists/g, 1, "err")
    expect((await fetch(`${address}/pid`)).status).toBe(200)

    const reply = text(`${address}/wait`)
    await app.said(/^waiting/gm)
    app.kill("SIGTERM")
    expect(await reply).toMatch(/^\d+$/)
    expect(await app.exited).toBe(0)
    await app.closed
    expect(app.output.out.match(/^draining/gm)).toHaveLength(4)
  }, 120_000)

  it("answer connections that a late supervisor hands to a worker which has stopped to listen", async () => {
    const app = start({ FLANGE__APP__DRAIN_DELAY: "500 millis" })
    const address = await app.address()
    await app.serves()
    app.kill("SIGHUP")
    const [old] = await app.said(/^draining (\d+)$/gm)
    app.kill("SIGSTOP")
    // The system takes these connections. The supervisor reads them before the message of the worker.
    const replies = Array.from({ length: 10 }, () => text(`${address}/pid`))
    for (let i = 0; i < 40 && !hasEnded(Number(old)); i++) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    app.kill("SIGCONT")
    await app.said(/Reload ended: all workers are new/g)
    const all = await app.said(/^ready (\d+)$/gm, 4)
    for (const pid of await Promise.all(replies)) expect(all).toContain(pid)
  }, 60_000)

  it("drain once if a terminal sends SIGINT to all of them", async () => {
    const app = start()
    const address = await app.address()
    await app.serves()
    const reply = text(`${address}/wait`)
    await app.said(/^waiting/gm)
    app.group("SIGINT")
    expect(await reply).toMatch(/^\d+$/)
    expect(await app.exited).toBe(0)
    await app.closed
    expect(app.output.out.match(/^draining/gm)).toHaveLength(2)
    expect(app.output.err).toBe("")
  }, 60_000)

  it("stop at once at a second signal", async () => {
    const app = start()
    const address = await app.address()
    await app.serves()
    const reply = text(`${address}/wait`).catch(() => "lost")
    await app.said(/^waiting/gm)
    app.kill("SIGTERM")
    await app.said(/^draining/gm)
    app.kill("SIGTERM")
    expect(await app.exited).toBe(1)
    expect(await reply).toBe("lost")
    await app.closed
    expect(app.output.err).toContain("Second SIGTERM: stopping at once\n")
  }, 60_000)

  it("drain and end if their supervisor is killed", async () => {
    const app = start()
    const address = await app.address()
    await app.serves()
    const reply = text(`${address}/wait`)
    await app.said(/^waiting/gm)
    app.kill("SIGKILL")
    expect(await reply).toMatch(/^\d+$/)
    await app.closed
    expect(app.output.out.match(/^draining/gm)).toHaveLength(2)
  }, 60_000)
})

describe("a start that fails", () => {
  it("in the first worker ends with its exit code and one report", async () => {
    const app = start({ FAIL: import.meta.filename })
    expect(await app.exited).toBe(1)
    await app.closed
    expect(app.output.err).toBe(
      "The app did not start.\n\nError: The file FAIL exists\nWorker 1 ended with exit code 1 before it served.\n"
    )
  }, 60_000)

  it("in the supervisor starts no worker: its port is taken", async () => {
    const server = Net.createServer()
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as Net.AddressInfo
    try {
      const app = start({ PORT: String(port) })
      expect(await app.exited).toBe(1)
      expect(app.output.out).not.toContain("acquired")
      expect(app.output.err).toBe(
        `The app did not start.\n\nBindError: Cannot listen on http://127.0.0.1:${port}: something else listens there. Stop it, or set PORT to a free port.\n`
      )
    } finally {
      server.close()
    }
  }, 60_000)
})

it("one worker is the process itself", async () => {
  const app = start({ FLANGE__SERVER__WORKERS: "1" })
  expect(await app.said(/^ready (\d+)$/gm)).toEqual([String(app.pid)])
  await app.address()
  app.kill("SIGTERM")
  expect(await app.exited).toBe(0)
  expect(app.output.out).not.toContain("worker")
}, 60_000)

describe("two workers in the role of a worker", () => {
  it("both carry out its contributions, answer probes, serve no route of the app, and drain", async () => {
    const app = start({ FLANGE_ROLE: "worker" })
    const address = await app.address()
    await app.serves()
    expect(new Set(await app.said(/^consumes (\d+)$/gm, 2)).size).toBe(2)
    const status = async (path: string) => (await fetch(`${address}${path}`)).status
    for (const path of ["/healthcheck", "/livez", "/metrics", "/readyz"]) {
      expect([path, await status(path)]).toEqual([path, 200])
    }
    for (const path of ["/openapi.json", "/pid", "/wait"]) {
      expect([path, await status(path)]).toEqual([path, 404])
    }
    app.kill("SIGTERM")
    expect(await app.exited).toBe(0)
    expect(app.output.out.match(/^draining \d+$/gm)).toHaveLength(2)
  })

  it("with another role nothing of it is built", async () => {
    const app = start({ FLANGE_ROLE: "server" })
    const address = await app.address()
    await app.serves()
    expect((await fetch(`${address}/pid`)).status).toBe(200)
    app.kill("SIGTERM")
    await app.closed
    expect(app.output.out).not.toContain("consumes")
  })
})
