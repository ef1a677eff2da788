import { PGlite } from "@electric-sql/pglite"
import fs from "node:fs"
const cpu = () => { const c = process.cpuUsage(); return (c.user + c.system) / 1000 }
const mode = process.argv[2]
let tarPath = "/tmp/dbx/t.tar"
if (mode === "small") {
  const d = await PGlite.create({ initDbStartParams: ["--wal-segsize=1"] } as any); 
  try { await d.exec("drop database template0") } catch (e) { console.log(String(e)); try { await d.exec("update pg_database set datistemplate=false where datname='template0'"); await d.exec("drop database template0") } catch (e) { console.log(String(e)) } }
  await d.exec("checkpoint"); const f = await d.dumpDataDir("none"); tarPath = "/tmp/dbx/s.tar"; fs.writeFileSync(tarPath, Buffer.from(await f.arrayBuffer())); console.log(f.size); await d.close() }
for (let i = 0; i < 4; i++) { const c = cpu(); const t = performance.now()
  const tar = new Blob([fs.readFileSync(tarPath)])
  const d = await PGlite.create({ loadDataDir: tar }); await d.exec("select 1"); console.log(mode, "cpu", (cpu() - c).toFixed(0), "wall", (performance.now() - t).toFixed(0)); if (i == 0) console.log((await d.query("select datname from pg_database")).rows, (await d.query("show wal_segment_size")).rows); await d.close() }
