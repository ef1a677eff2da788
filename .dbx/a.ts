import { PGlite } from "@electric-sql/pglite"
import fs from "node:fs"
let t = performance.now()
const lap = (s: string) => { console.log(s, (performance.now() - t).toFixed(0)); t = performance.now() }
const db = await PGlite.create("memory://"); await db.exec("select 1"); lap("plain memory")
const f = await db.dumpDataDir("none"); lap("dump " + f.size)
fs.writeFileSync("/tmp/dbx/t.tar", Buffer.from(await f.arrayBuffer())); await db.close(); lap("write+close")
for (let i = 0; i < 3; i++) {
  const d = await PGlite.create({ loadDataDir: await fs.openAsBlob("/tmp/dbx/t.tar") }); await d.exec("select 1"); lap("load tar"); await d.close(); lap("close") }
fs.rmSync("/tmp/dbx/data", { recursive: true, force: true })
const n = await PGlite.create("/tmp/dbx/data"); lap("nodefs init"); await n.exec("create table a(x int); insert into a values (1)"); 
console.log(fs.readdirSync("/tmp/dbx/data").join(" "))
try { const m = await PGlite.create("/tmp/dbx/data"); console.log(await m.query("select * from a")) } catch (e) { console.log("second open", e) }
await n.close(); lap("close")
const d2 = await PGlite.create({ dataDir: "/tmp/dbx/data2", loadDataDir: await fs.openAsBlob("/tmp/dbx/t.tar") }); lap("nodefs from template"); await d2.close()
const o = await PGlite.create("/tmp/dbx/data"); console.log((await o.query("select version()")).rows); lap("reopen")
console.log(process.listenerCount("exit"), process.listenerCount("uncaughtException"), process.listenerCount("unhandledRejection"), process.eventNames())
