import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import { onEach, pglite, postgres } from "../Database/backends.ts"
import { describeRedis, redisServer } from "../Redis/server.ts"
import { suite } from "./broadcastConformance.ts"
import { database, memory, overRedis } from "./broadcastReplicas.ts"

suite(memory)

describeRedis("with a server", () => {
  suite({
    name: "Redis",
    open: Effect.map(redisServer(), ({ url }) => overRedis(url, randomUUID()))
  })
})

onEach([pglite, postgres], "broadcast", (backend) => {
  suite(database(backend))
})
