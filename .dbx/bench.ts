import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as PgClient from "@effect/sql-pg/PgClient"
import { connect } from "../src/Layers/Database/Connect.ts"
import { settings } from "../test/Layers/Database/backends.ts"
const url = "postgres://postgres@127.0.0.1:5432/test"
const bench = (name: string, sql: any, n = 20000, c = 64) => Effect.gen(function*() {
  for (let k = 0; k < 3; k++) {
  const t = performance.now(); const u = process.cpuUsage()
  let i = 0
  yield* Effect.all(Array.from({ length: c }, () => Effect.gen(function*() { while (i++ < n) yield* sql`select 1 as a` })), { concurrency: "unbounded" })
  const d = process.cpuUsage(u)
  console.log(name, (n / (performance.now() - t) * 1000).toFixed(0), "q/s", ((d.user + d.system) / n).toFixed(1), "us cpu/q") }
})
await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const plain = yield* PgClient.make({ url: Redacted.make(url), maxConnections: 10 }).pipe(Effect.provide(Reactivity.layer))
  const own = yield* connect(settings({ url, maxConnections: 10 }))
  const my = yield* connect(settings({ url: "mysql://root@127.0.0.1:3306/test", maxConnections: 10 }))
  yield* bench("plain", plain); yield* bench("flange", own); yield* bench("plain", plain); yield* bench("flange", own)
  yield* bench("mysql", my)
})))
