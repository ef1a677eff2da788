// A Redis of a test: a process of its own on a free port, that the test may kill, freeze and start again.
//
// Without redis-server the suites are skipped. CI_SERVICES=required makes that a failure.
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { connect as tcp, createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { describe } from "vitest"
import { RedisConfig, type Settings } from "../../../src/Layers/Redis/RedisConfig.ts"

/** Limits that a slow machine does not reach. */
export const patient = { commandTimeout: "1 minute", connectTimeout: "1 minute" }

/** The section `redis` with these values, as a file would have them. */
export const settings = (values: object): Settings =>
  Schema.decodeUnknownSync(Schema.toCodecJson(RedisConfig.schema))({
    ...patient,
    ...values
  }) as Settings // what the section decodes to

const isInstalled = spawnSync("redis-server", ["--version"]).status === 0
if (!isInstalled && process.env["CI_SERVICES"] === "required") {
  throw new Error("redis-server is not installed")
}

if (!isInstalled) console.warn("Skipped: suites with Redis: redis-server is not installed")

/** A suite that needs redis-server. */
export const describeRedis = describe.skipIf(!isInstalled)

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as { readonly port: number }
  server.close()
  await once(server, "close")
  return port
}

/** Sends one inline command, and returns what comes back. */
const inline = (port: number, command: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = tcp({ host: "127.0.0.1", port })
    let text = ""
    socket.on("error", () => resolve(text))
    socket.on("data", (chunk) => {
      text += chunk
      socket.end()
    })
    socket.on("close", () => resolve(text))
    socket.write(`${command}\r\n`)
  })

/** A server of a test. */
export interface RedisServer {
  /** Sends one command without arguments that have spaces, on a connection of its own. */
  readonly command: (text: string) => Effect.Effect<string>
  readonly freeze: Effect.Effect<void>
  /** Kills it with SIGKILL. */
  readonly kill: Effect.Effect<void>
  readonly port: number
  /** Starts it again, with these arguments more. */
  readonly start: (...args: ReadonlyArray<string>) => Effect.Effect<void>
  readonly thaw: Effect.Effect<void>
  readonly url: string
}

/** Starts a server that ends with the scope. */
export const redisServer = (
  ...args: ReadonlyArray<string>
): Effect.Effect<RedisServer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "flange-redis-"))),
      (path) => Effect.promise(() => rm(path, { force: true, recursive: true }))
    )
    const port = yield* Effect.promise(freePort)
    let child: ChildProcess | undefined
    const kill = Effect.promise(async () => {
      const running = child
      child = undefined
      if (running === undefined || running.exitCode !== null) return
      running.kill("SIGKILL")
      await once(running, "close")
    })
    const start = (...more: ReadonlyArray<string>) =>
      Effect.promise(async () => {
        const own = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        child = spawn("redis-server", [...own, ...args, ...more], { stdio: "ignore" })
        while ((await inline(port, "PING")) === "") {
          if (child.exitCode !== null) throw new Error("redis-server has ended")
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      })
    yield* Effect.acquireRelease(start(), () => kill)
    return {
      command: (text) => Effect.promise(() => inline(port, text)),
      freeze: Effect.sync(() => void child?.kill("SIGSTOP")),
      kill,
      port,
      start,
      thaw: Effect.sync(() => void child?.kill("SIGCONT")),
      url: `redis://127.0.0.1:${port}`
    }
  })

/** A server that answers a command when the test tells it to. */
export interface ScriptedServer {
  /** Answers the oldest command that waits, with a line of the protocol. Default: `+OK`. */
  readonly answer: (line?: string) => void
  /** What it answers to `HELLO`. */
  hello: string
  /** What it answers to `PING`. */
  ping: string
  /** Waits until this many commands wait. */
  readonly received: (count: number) => Effect.Effect<unknown>
  readonly url: string
}

/** Starts a server that answers what a client sends to begin with, and nothing else by itself. */
export const scriptedServer: Effect.Effect<ScriptedServer, never, Scope.Scope> = Effect.gen(
  function* () {
    const waiting: Array<Socket> = []
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("data", (chunk) => {
        for (const [, name] of String(chunk).matchAll(/^\*\d+\r\n\$\d+\r\n(\w+)/gm)) {
          if (name === "HELLO") socket.write(`${scripted.hello}\r\n`)
          else if (name === "CLIENT") socket.write("+OK\r\n")
          else if (name === "PING") socket.write(`${scripted.ping}\r\n`)
          else waiting.push(socket)
        }
      })
    }).listen(0, "127.0.0.1")
    yield* Effect.promise(() => once(server, "listening"))
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        server.close()
        for (const socket of sockets) socket.destroy()
      })
    )
    const scripted: ScriptedServer = {
      answer: (line = "+OK") => void waiting.shift()?.write(`${line}\r\n`),
      hello: "%1\r\n+proto\r\n:3",
      ping: "+PONG",
      received: (count) =>
        Effect.sleep(5).pipe(Effect.repeat({ until: () => waiting.length >= count })),
      url: `redis://127.0.0.1:${(server.address() as { readonly port: number }).port}`
    }
    return scripted
  }
)
