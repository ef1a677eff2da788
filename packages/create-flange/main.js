#!/usr/bin/env node
// Runs `flange new` of the Flange that this package depends on.
import { readFileSync } from "node:fs"

const manifest = new URL(import.meta.resolve("flange/package.json"))
const { bin } = JSON.parse(readFileSync(manifest, "utf8"))

process.argv.splice(2, 0, "new")
await import(new URL(bin.flange, manifest).href)
