import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as Database from "flange/Database"
for (let i = 0; i < 5; i++) { const t = performance.now(); const c = process.cpuUsage()
await Effect.runPromise(Effect.provide(SqlClient.SqlClient.use((sql) => sql`select 1`), Database.layerMemory))
const d = process.cpuUsage(c); console.log("open+query+close", (performance.now() - t).toFixed(0), "cpu", ((d.user + d.system) / 1000).toFixed(0)) }
