/**
 * Flange's entry alone.
 * Run: node bench/server.ts --tier bare|production --listener node|proxied --port N
 */
import * as Package from "./lib/Package.ts"

Package.build()
await import("./servers/flange.ts")
