import type { ChildProcess } from "node:child_process"
import { afterAll, beforeAll } from "vitest"
import { freePort } from "../Redis/server.ts"
import {
  hasMemcached,
  hasRedis,
  memcached,
  memory,
  redis,
  startMemcached,
  startRedis
} from "./backends.ts"
import { suite } from "./conformance.ts"

const ports = { memcached: 0, redis: 0 }
const servers: Array<ChildProcess> = []

beforeAll(async () => {
  ports.memcached = await freePort()
  ports.redis = await freePort()
  if (hasMemcached) servers.push(await startMemcached(ports.memcached))
  if (hasRedis) servers.push(await startRedis(ports.redis))
})

afterAll(() => servers.forEach((server) => server.kill()))

suite(memory(), true)
suite(
  redis("redis", () => ports.redis),
  hasRedis
)
suite(
  redis("tiers", () => ports.redis),
  hasRedis
)
suite(
  memcached(() => ports.memcached),
  hasMemcached
)
