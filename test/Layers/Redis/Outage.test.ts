// A server that dies, freezes, restarts, is demoted, loads or changes its password.
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { getCACertificates, setDefaultCACertificates } from "node:tls"
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import type { RedisError } from "flange/Redis"
import { Redis, RedisUnavailable, script } from "flange/Redis"
import { connect } from "../../../src/Layers/Redis/Connect.ts"
import { describeRedis, freePort, redisServer, scriptedServer, settings } from "./server.ts"

const open = (url: string, values: object = {}) =>
  Effect.map(connect(settings({ url, ...values })), Context.get(Redis))

/** A limit that a test can wait for. Nothing that must succeed has it. */
const short = { commandTimeout: "300ms" }

const reasonOf = (error: RedisError) =>
  error.cause instanceof RedisUnavailable ? error.cause.reason : String(error.cause)

/** Waits until a command succeeds. */
const untilUp = (redis: Redis["Service"]) =>
  redis.send("PING").pipe(
    Effect.catch(() => Effect.sleep(10)),
    Effect.repeat({ until: (reply) => reply === "PONG" })
  )

/** Waits until commands fail without a connection. */
const untilDown = (redis: Redis["Service"]) =>
  Effect.flip(redis.send("PING")).pipe(
    Effect.catch(() => Effect.succeed(undefined)),
    Effect.repeat({ until: (error) => error !== undefined && reasonOf(error) === "disconnected" })
  )

describeRedis("A Redis that goes away", () => {
  it.live("fails commands at once while it is dead, and is used again when it is back", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const redis = yield* open(server.url)
      yield* redis.send("SET", "a", "1")
      yield* server.kill
      yield* untilDown(redis)
      const error = yield* Effect.flip(redis.send("GET", "a"))
      expect(error._tag).toBe("RedisError")
      expect(String(error.cause)).toContain(`Redis at 127.0.0.1:${server.port} is not available`)
      yield* server.start()
      yield* untilUp(redis)
      expect(yield* redis.send("GET", "a")).toBe(null)
    })
  )

  it.live("fails the first commands after the timeout if it freezes, and the others at once", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const redis = yield* open(server.url, short)
      yield* server.freeze
      const first = yield* Effect.forEach([1, 2, 3], () => Effect.flip(redis.send("GET", "a")), {
        concurrency: "unbounded"
      })
      expect(first.map(reasonOf)).toContain("timeout")
      expect(reasonOf(yield* Effect.flip(redis.send("GET", "a")))).toBe("disconnected")
      yield* server.thaw
      yield* untilUp(redis)
    })
  )

  it.live("finds a frozen server although callers are more impatient than the timeout", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const redis = yield* open(server.url, short)
      yield* server.freeze
      yield* Effect.flip(Effect.timeout(redis.send("GET", "a"), "10 millis"))
      yield* untilDown(redis)
      yield* server.thaw
      yield* untilUp(redis)
    })
  )

  it.live("loses one command and not the connection if other replies come", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer
      const redis = yield* open(server.url, { commandTimeout: "2s" })
      const first = yield* Effect.forkChild(redis.send("GET", "a"))
      const second = yield* Effect.forkChild(Effect.flip(redis.send("GET", "b")))
      yield* server.received(2)
      server.answer()
      expect(yield* Fiber.join(first)).toBe("OK")
      expect(reasonOf(yield* Fiber.join(second))).toBe("timeout")
      const third = yield* Effect.forkChild(redis.send("GET", "c"))
      yield* server.received(2)
      server.answer()
      server.answer()
      expect(yield* Fiber.join(third)).toBe("OK")
    })
  )

  it.live("refuses commands while it loads its data, and keeps the connection", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer
      const redis = yield* open(server.url)
      const ask = (line?: string) =>
        Effect.gen(function* () {
          const reply = yield* Effect.forkChild(Effect.exit(redis.send("GET", "a")))
          yield* server.received(1)
          server.answer(line)
          return yield* Fiber.join(reply)
        })
      const loading = yield* Effect.flip(
        Effect.flatten(ask("-LOADING Redis is loading the dataset in memory"))
      )
      expect(reasonOf(loading)).toBe("refused")
      expect((yield* ask())._tag).toBe("Success")
    })
  )

  it.live("loads scripts again after a restart", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const redis = yield* open(server.url)
      const add = script((key: string, by: number) => [key, by], {
        lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
        numberOfKeys: 1
      }).withReturnType<number>()
      expect(yield* redis.eval(add)("n", 2)).toBe(2)
      yield* server.kill
      yield* server.start()
      yield* untilUp(redis)
      expect(yield* redis.eval(add)("n", 3)).toBe(3)
    })
  )

  it.live("opens another connection if the server has become a replica", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const redis = yield* open(server.url)
      yield* server.command("REPLICAOF 127.0.0.1 1")
      const error = yield* Effect.flip(redis.send("SET", "a", "1"))
      expect(reasonOf(error)).toBe("refused")
      expect(String(error.cause)).toContain("READONLY")
      yield* server.command("REPLICAOF NO ONE")
      yield* untilUp(redis)
      expect(yield* redis.send("SET", "a", "1")).toBe("OK")
    })
  )

  it.live(
    "keeps its connection if the password changes, and tries on after the connection is lost",
    () =>
      Effect.gen(function* () {
        const server = yield* redisServer("--requirepass", "first")
        const redis = yield* open(server.url.replace("//", "//:first@"))
        yield* redis.send("CONFIG", "SET", "requirepass", "second")
        expect(yield* redis.send("PING")).toBe("PONG")
        yield* server.kill
        yield* server.start("--requirepass", "second")
        yield* untilDown(redis)
        yield* Effect.flip(redis.send("PING")).pipe(
          Effect.repeat({ until: (error) => String(error.cause).includes("WRONGPASS") })
        )
        yield* server.kill
        yield* server.start()
        yield* untilUp(redis)
      })
  )

  it.live("fails what waits on a reserved connection when the shared one is lost", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const redis = yield* open(server.url, { commandTimeout: "2s" })
      const waiting = yield* Effect.forkChild(
        Effect.flip(
          Effect.scoped(Effect.flatMap(redis.reserve, ({ send }) => send("BLPOP", "list", "0")))
        )
      )
      yield* server
        .command("CLIENT LIST")
        .pipe(Effect.repeat({ until: (text) => text.includes("cmd=blpop") }))
      yield* server.freeze
      yield* Effect.flip(redis.send("PING"))
      expect(reasonOf(yield* Fiber.join(waiting))).toBe("disconnected")
      yield* server.thaw
      yield* untilUp(redis)
      const item = Effect.scoped(
        Effect.flatMap(redis.reserve, ({ send }) => send("BLPOP", "list", "0"))
      )
      const popping = yield* Effect.forkChild(item)
      yield* redis.send("RPUSH", "list", "x")
      expect(yield* Fiber.join(popping)).toEqual(["list", "x"])
    })
  )

  it.live("warns once while it is away, and tells once that it is back", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      lines.push(`${logLevel} ${String(message)}`)
    })
    return Effect.gen(function* () {
      const server = yield* redisServer()
      const redis = yield* open(server.url)
      yield* server.kill
      yield* untilDown(redis)
      yield* Effect.sleep(300)
      yield* server.start()
      yield* untilUp(redis)
      yield* Effect.sleep(10).pipe(Effect.repeat({ until: () => lines.length > 1 }))
      expect(lines).toEqual([
        expect.stringContaining(`Warn Redis at 127.0.0.1:${server.port} is not available`),
        expect.stringMatching(/^Info Redis at 127\.0\.0\.1:\d+ is available again after /)
      ])
    }).pipe(Effect.provide(Logger.layer([logger])))
  })
})

describeRedis("The start", () => {
  const failure = (url: string, values: object = {}) =>
    Effect.flip(open(url, { connectTimeout: "300ms", ...values }))

  it.live("names the server that is away, and what to do", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      yield* server.kill
      const error = yield* failure(server.url, { connectTimeout: "2s" })
      expect(error).toMatchObject({
        _tag: "RedisUnreachable",
        host: "127.0.0.1",
        port: server.port
      })
      expect(error.message).toContain(`Cannot use Redis at 127.0.0.1:${server.port}: `)
      expect(error.message).toContain("ECONNREFUSED")
      expect(error.message).toContain("Start the server, correct REDIS_URL")
    })
  )

  it.live("gives up on a server that accepts and does not answer", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      yield* server.freeze
      expect((yield* failure(server.url)).message).toContain("did not answer")
    })
  )

  it.live("waits for a server that starts a little later", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      yield* server.kill
      const opening = yield* Effect.forkChild(open(server.url))
      yield* Effect.sleep(100)
      yield* server.start()
      const redis = yield* Fiber.join(opening)
      expect(yield* redis.send("PING")).toBe("PONG")
    })
  )

  it.live("waits for a server that loads its data", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer
      server.ping = "-LOADING Redis is loading the dataset in memory"
      const opening = yield* Effect.forkChild(open(server.url))
      yield* Effect.sleep(100)
      server.ping = "+PONG"
      yield* Fiber.join(opening)
      server.ping = "-LOADING Redis is loading the dataset in memory"
      expect((yield* failure(server.url)).message).toContain("LOADING")
    })
  )

  it.live("encrypts the connection for rediss://, and fails at once without trust", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "flange-redis-tls-"))),
        (path) => Effect.promise(() => rm(path, { force: true, recursive: true }))
      )
      const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")]
      const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
      const files = ["-keyout", key, "-out", cert, "-days", "2", ...subject]
      execFileSync(
        "openssl",
        [
          "req",
          "-x509",
          "-newkey",
          "ec",
          "-pkeyopt",
          "ec_paramgen_curve:P-256",
          "-nodes",
          ...files
        ],
        { stdio: "ignore" }
      )
      const port = yield* Effect.promise(freePort)
      const tls = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert]
      yield* redisServer("--tls-port", String(port), "--tls-auth-clients", "no", ...tls)
      const url = `rediss://localhost:${port}`
      const error = yield* failure(url, { connectTimeout: "1 hour" })
      expect(error.message).toMatch(/self[- ]signed certificate/)
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          const before = getCACertificates("default")
          setDefaultCACertificates([readFileSync(cert, "utf8")])
          return before
        }),
        (before) => Effect.sync(() => setDefaultCACertificates(before))
      )
      expect(yield* (yield* open(url)).send("PING")).toBe("PONG")
    })
  )

  it.live("fails at once for a wrong password, which it does not print", () =>
    Effect.gen(function* () {
      const server = yield* redisServer("--requirepass", "right")
      const error = yield* failure(server.url.replace("//", "//:hunter22@"), {
        connectTimeout: "1 hour"
      })
      expect(error.message).toContain("WRONGPASS")
      expect(error.message).not.toContain("hunter22")
      const without = yield* failure(server.url, { connectTimeout: "1 hour" })
      expect(without.message).toContain("NOAUTH")
    })
  )
})

it.live(
  "a server that repeats the password after a reconnection does not bring it into the log",
  () => {
    const logs: Array<string> = []
    const logger = Logger.make(({ message }) => void logs.push(String(message)))
    return Effect.gen(function* () {
      const server = yield* scriptedServer
      const redis = yield* open(server.url.replace("//", "//:hunter2@"))
      server.hello = "-ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'hunter2'"
      const lost = yield* Effect.forkChild(Effect.flip(redis.send("GET", "a")))
      yield* server.received(1)
      server.answer("?")
      yield* Fiber.join(lost)
      const error = yield* Effect.flip(redis.send("GET", "a")).pipe(
        Effect.repeat({ until: ({ cause }) => String(cause).includes("unknown command") })
      )
      expect(String(error.cause)).toContain("'AUTH' '<redacted>'")
      expect(logs.join()).not.toContain("hunter2")
    }).pipe(Effect.provide(Logger.layer([logger])))
  }
)
