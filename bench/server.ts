// Flange's entry alone.
// Run: node bench/server.ts --tier bare|production --listener node|proxied --port N
import { missing } from "./lib/Missing.ts"
import { tier } from "./servers/support/Arguments.ts"

if (tier === "production") for (const what of missing) console.error(`missing: ${what}`)
await import("./servers/flange.ts")
