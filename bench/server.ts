// Flange's entry alone.
// Run: node bench/server.ts --tier bare|production --listener node|proxied --port N
import "./servers/flange.ts"
