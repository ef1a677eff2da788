import { PGlite } from "@electric-sql/pglite"
import fs from "node:fs"
import { fileURLToPath } from "node:url"
const cpu = () => { const c = process.cpuUsage(); return (c.user + c.system) / 1000 }
const mode = process.argv[2]
const tar = await fs.openAsBlob("/tmp/dbx/t.tar")
let extra: any = {}
if (mode === "mod") extra = { pgliteWasmModule: await WebAssembly.compile(fs.readFileSync(fileURLToPath(import.meta.resolve("@electric-sql/pglite/pglite.wasm")))) }
for (let i = 0; i < 4; i++) { const c = cpu(); const t = performance.now()
  const d = await PGlite.create({ loadDataDir: tar, ...extra }); await d.exec("select 1"); console.log(mode, "cpu", (cpu() - c).toFixed(0), "wall", (performance.now() - t).toFixed(0)); await d.close() }
