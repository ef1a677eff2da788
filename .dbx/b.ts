import { PGlite } from "@electric-sql/pglite"
import fs from "node:fs"
import { fileURLToPath } from "node:url"
let t = performance.now()
const lap = (s: string) => { console.log(s, (performance.now() - t).toFixed(0)); t = performance.now() }
const dir = fileURLToPath(import.meta.resolve("@electric-sql/pglite/pglite.wasm"))
const mod = await WebAssembly.compile(fs.readFileSync(dir)); lap("compile")
const bundle = await fs.openAsBlob(fileURLToPath(import.meta.resolve("@electric-sql/pglite/pglite.data"))); lap("bundle")
const tar = await fs.openAsBlob("/tmp/dbx/t.tar")
for (let i = 0; i < 5; i++) {
  const d = await PGlite.create({ loadDataDir: tar, pgliteWasmModule: mod }); lap("load tar mod"); await d.exec("select 1"); lap("q"); await d.close(); lap("close") }
for (let i = 0; i < 5; i++) {
  const d = await PGlite.create({ loadDataDir: tar, pgliteWasmModule: mod, fsBundle: bundle }); lap("load tar mod+bundle"); await d.exec("select 1"); lap("q"); await d.close(); lap("close") }
for (let i = 0; i < 3; i++) {
  const d = await PGlite.create({ loadDataDir: tar }); lap("load tar plain"); await d.exec("select 1"); lap("q"); await d.close(); lap("close") }
