/** The backends on which the conformance suite runs. */
import { spawn, spawnSync } from "node:child_process"
import { connect } from "node:net"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Redis, SharedRedis } from "flange/Redis"
import * as Backends from "../../../src/Layers/Cache/Backends.ts"
import type { RedisServices } from "../../../src/Layers/Cache/Broadcast.ts"
import type { CacheConfig } from "../../../src/Layers/Cache/CacheConfig.ts"
import type { Store } from "../../../src/Layers/Cache/CacheStore.ts"
import { make } from "../../../src/Layers/Cache/Make.ts"
import { MemoryStore } from "../../../src/Layers/Cache/MemoryStore.ts"
import type { Shape } from "../../../src/Layers/Cache/ObjectCache.ts"
import { connect as connectRedis } from "../../../src/Layers/Redis/Connect.ts"
import { settings } from "../Redis/server.ts"

type Config = (typeof CacheConfig)["Service"]

/** The values of the section in tests. */
export const config: Config = {
  backend: "memory",
  defaultTtl: Duration.minutes(5),
  maxMemory: 2 ** 24,
  memcached: ["127.0.0.1:11211"],
  memoryTtl: Duration.seconds(10),
  singleFlight: true,
  // A slow machine is no outage.
  timeout: Duration.seconds(30)
}

/** A replica: a cache and its store. */
export interface Replica {
  readonly cache: Shape
  readonly store: Store
}

/** A backend that replicas share. */
export interface Backend {
  readonly name: string
  /** Opens a replica with the namespace. */
  readonly replica: (namespace: string) => Effect.Effect<Replica, unknown, Scope.Scope>
}

/** Makes a replica over a store. */
export const replicaOf = (
  store: Store,
  namespace: string,
  { memory, timeout }: { readonly memory?: MemoryStore; readonly timeout?: Duration.Duration }
) =>
  Effect.map(
    make(store, {
      defaultTtl: config.defaultTtl,
      memory,
      namespace,
      singleFlight: true,
      timeout
    }),
    (cache): Replica => ({ cache, store })
  )

const opened = (values: Config, namespace: string, redis: RedisServices | undefined) =>
  Effect.flatMap(Backends.open(values, namespace, redis), ({ memory, store }) =>
    replicaOf(store, namespace, {
      timeout: values.timeout,
      ...(memory === undefined ? {} : { memory })
    })
  )

/** The memory of one process, shared by the replicas of one namespace. */
export const memory = (): Backend => {
  const stores = new Map<string, MemoryStore>()
  return {
    name: "memory",
    replica: (namespace) => {
      const store = stores.get(namespace) ?? new MemoryStore(2 ** 24)
      stores.set(namespace, store)
      return replicaOf(store, namespace, { memory: store })
    }
  }
}

/** Connects to Redis as `Redis.plugin` does. */
export const redisOf = (
  port: number,
  timeout = config.timeout
): Effect.Effect<RedisServices, unknown, Scope.Scope> =>
  Effect.map(
    connectRedis(
      settings({
        commandTimeout: Duration.toMillis(timeout),
        prefix: "shop",
        url: `redis://127.0.0.1:${port}`
      })
    ),
    (context) => ({
      redis: Context.get(context, Redis),
      shared: Context.get(context, SharedRedis)
    })
  )

/** Redis alone, or with memory in front of it. */
export const redis = (
  backend: "redis" | "tiers",
  port: () => number,
  timeout = config.timeout
): Backend => ({
  name: backend,
  replica: (namespace) =>
    Effect.flatMap(
      Effect.suspend(() => redisOf(port(), timeout)),
      (client) => opened({ ...config, backend, timeout }, namespace, client)
    )
})

/** Whether a server is installed. CI has all servers, and elsewhere the reason of a skip is printed. */
const isInstalled = (command: string): boolean => {
  if (spawnSync(command, ["--version"]).status === 0) return true
  if (process.env["CI_SERVICES"] === "required") throw new Error(`${command} is not installed`)
  console.warn(`${command} is not installed: its tests are skipped`)
  return false
}

/** Whether Memcached is installed. */
export const hasMemcached = isInstalled("memcached")

/** Whether Redis is installed. */
export const hasRedis = isInstalled("redis-server")

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.on("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.on("error", () => resolve(false))
  })

/** Starts a server, and waits until it accepts connections. */
export const start = async (command: string, args: ReadonlyArray<string>, port: number) => {
  const child = spawn(command, args, { stdio: "ignore" })
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return child
}

/** Starts Memcached. */
export const startMemcached = (port: number) =>
  start("memcached", ["-u", "root", "-l", "127.0.0.1", "-p", String(port), "-m", "16"], port)

/** Starts a Redis that keeps nothing on disk. */
export const startRedis = (port: number) =>
  start(
    "redis-server",
    ["--bind", "127.0.0.1", "--port", String(port), "--save", "", "--appendonly", "no"],
    port
  )

/** The Memcached at a port. */
export const memcached = (port: () => number, timeout = config.timeout): Backend => ({
  name: "memcached",
  replica: (namespace) =>
    Effect.suspend(() =>
      opened(
        {
          ...config,
          timeout,
          backend: "memcached",
          memcached: [`127.0.0.1:${port()}`]
        },
        namespace,
        undefined
      )
    )
})
