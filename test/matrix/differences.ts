/**
 * What a run of the tests for another runtime leaves out, with the reason. `test/runtimes/cases.ts` has the
 * answers of the parsers of the runtimes.
 */
import type { runtimes } from "./combination.ts"

type Runtime = (typeof runtimes)[number]

interface Difference {
  /** A file or a folder of `test`. */
  readonly path: string
  readonly reason: string
  readonly runtimes: ReadonlyArray<Runtime>
  /** Matches the full names of the tests. Default: all of the file or the folder, which is not loaded. */
  readonly tests?: RegExp
}

const both: ReadonlyArray<Runtime> = ["bun", "deno"]

const connections =
  "the runtime owns the connections: server.maxConnections and the timeouts of node:http have no effect"

const node = "it tests node:http, node:https or processes of Node"

const parser = "the parser of the runtime answers: test/runtimes/cases.ts has the answers"

const resolve = "Vitest calls import.meta.resolve with two arguments, which Deno refuses"

const signals =
  "child_process of Deno tells no exit code of a process that got a signal: test/runtimes tests signals"

const all: ReadonlyArray<Difference> = [
  {
    path: "Layers/Compression/AcceptEncoding.test.ts",
    reason: "the bound is for the heap of Node",
    runtimes: ["deno"],
    tests: /keeps few values/
  },
  {
    path: "Layers/Compression/Streams.test.ts",
    reason: "the bound is for the heap of Node",
    runtimes: ["bun"],
    tests: /takes no memory for its compressed form/
  },
  { path: "Layers/Admin/Hostile.test.ts", reason: parser, runtimes: both },
  { path: "Layers/Auth/ClientCertificate.test.ts", reason: node, runtimes: both },
  {
    path: "Layers/Auth/Jwt/KeySet.test.ts",
    reason: "the crypto of the runtime takes other keys",
    runtimes: both
  },
  {
    path: "Layers/Cache/CachePlugin.test.ts",
    reason: node,
    runtimes: both,
    tests: /loads no package of its backends$/
  },
  {
    path: "Layers/Cache/Response/Concurrency.test.ts",
    reason: "fetch of Bun has 256 requests at once",
    runtimes: ["bun"],
    tests: /run its handler once$/
  },
  {
    path: "Layers/Health/Health.test.ts",
    reason: "the test expects the name of Node",
    runtimes: both,
    tests: /tells what the service is/
  },
  {
    path: "Layers/Logging/Logging.test.ts",
    reason: "errors of JavaScriptCore have a line and a column",
    runtimes: ["bun"],
    tests: /a pretty line has message/
  },
  {
    path: "Layers/Metrics/BatteryMetrics.test.ts",
    reason: parser,
    runtimes: ["bun"],
    tests: /refused before they have a route/
  },
  { path: "Layers/Metrics/BatteryMetrics.test.ts", reason: resolve, runtimes: ["deno"] },
  {
    path: "Layers/Outgoing/OutgoingPlugin.test.ts",
    reason: "Bun has its own module in the place of undici",
    runtimes: ["bun"]
  },
  {
    path: "Layers/Overload/Overload.test.ts",
    reason: "Bun does not count the handles of a process",
    runtimes: ["bun"],
    tests: /overload\.maxHandles/
  },
  {
    path: "Layers/Realtime/WebSockets.test.ts",
    reason: "the frames of a message are gathered before Flange sees them",
    runtimes: both,
    tests: /on node .*(?:a long message in fragments|thousands of empty fragments)$/
  },
  {
    path: "Layers/Realtime/WebSockets.test.ts",
    reason: "messages are not compressed",
    runtimes: both,
    tests: /on node refuses a message that decompresses/
  },
  {
    path: "Layers/Realtime/WebSockets.test.ts",
    reason: "Bun has its own module in the place of ws, which has no maxFragments",
    runtimes: ["bun"],
    tests: /on proxied .*thousands of empty fragments$/
  },
  {
    path: "Layers/Realtime/WebSockets.test.ts",
    reason: "a frame without a mask is read",
    runtimes: ["deno"],
    tests: /on node .*an unmasked frame$/
  },
  {
    path: "Layers/Realtime/WebSockets.test.ts",
    reason: "a frame that breaks the protocol closes the connection without a closing frame",
    runtimes: ["deno"],
    tests:
      /on node .*(?:a reserved bit|an unknown opcode|continuation of nothing|a fragmented ping|a ping that is too long|invalid UTF-8)$/
  },
  {
    path: "Layers/Realtime/WebSockets.test.ts",
    reason: "pings are answered and not shown",
    runtimes: ["deno"],
    tests: /on node .*too many pings$/
  },
  {
    path: "Layers/Realtime/WebSockets.test.ts",
    reason: "a peer cannot be paused: it loses its connection",
    runtimes: ["deno"],
    tests: /on node is patient/
  },
  {
    path: "Layers/Realtime/WebSockets.test.ts",
    reason: "a frame that follows closes the connection before the closing frame is sent",
    runtimes: ["deno"],
    tests: /on node .*too many messages$/
  },
  { path: "Layers/Timeout/Database.test.ts", reason: resolve, runtimes: ["deno"], tests: /PGlite/ },
  {
    path: "Layers/Timeout/Listeners.test.ts",
    reason:
      "the clients of Deno, WebSocket and streams of fetch, are late for the clock of the test",
    runtimes: ["deno"],
    tests: /has no limit$|does not read its body is answered$/
  },
  { path: "Plugin/Signals.test.ts", reason: signals, runtimes: ["deno"] },
  {
    path: "Server/Bounds.test.ts",
    reason: "Deno leaves it to the client to close after Connection: close",
    runtimes: ["deno"],
    tests: /on node in many pieces .* its connection closes$/
  },
  { path: "Server/EffectInternals.test.ts", reason: resolve, runtimes: ["deno"] },
  {
    path: "Server/ErrorEnvelope.test.ts",
    reason: "the text of a JSON.parse error is that of JavaScriptCore",
    runtimes: ["bun"],
    tests: /\/send \{"body":"\{"/
  },
  {
    path: "Server/ErrorEnvelope.test.ts",
    reason: parser,
    runtimes: both,
    tests: /of a request that the listener refuses/
  },
  {
    path: "Server/Exchange/ServerSpan.test.ts",
    reason: "the runtime does not tell the version of HTTP, and upgrades to WebSocket only",
    runtimes: both,
    tests: /on node (?:have the names and attributes|of an upgrade end)/
  },
  {
    path: "Server/Finalizers.test.ts",
    reason: "not yet explained: the detached fiber does not end on Deno",
    runtimes: ["deno"],
    tests: /after the request, on node$/
  },
  { path: "Server/Listener/BrokenBodies.test.ts", reason: connections, runtimes: both },
  { path: "Server/Listener/ConnectionEnd.test.ts", reason: connections, runtimes: both },
  { path: "Server/Listener/Drain.test.ts", reason: signals, runtimes: ["deno"] },
  { path: "Server/Listener/KeepAlive.test.ts", reason: connections, runtimes: both },
  { path: "Server/Listener/LastAccept.test.ts", reason: node, runtimes: ["deno"] },
  { path: "Server/Listener/Limits.test.ts", reason: connections, runtimes: both },
  { path: "Server/Listener/Linger.test.ts", reason: connections, runtimes: both },
  { path: "Server/Listener/Node", reason: node, runtimes: both },
  { path: "Server/Listener/NodeVersion.test.ts", reason: node, runtimes: both },
  { path: "Server/Listener/Proxied/Nginx.test.ts", reason: signals, runtimes: ["deno"] },
  {
    path: "Server/Listener/Proxied/Parse/Fuzz.test.ts",
    reason: "node:http of Deno has another parser than that of Node",
    runtimes: ["deno"]
  },
  { path: "Server/Listener/Refused.test.ts", reason: connections, runtimes: both },
  { path: "Server/Listener/Upgrade.test.ts", reason: connections, runtimes: both },
  { path: "Server/Listener/UpgradeLimits.test.ts", reason: connections, runtimes: both },
  { path: "Server/Listener/Workers", reason: node, runtimes: both },
  {
    path: "Server/MountConnection.test.ts",
    reason: "Bun closes a connection with two requests at once",
    runtimes: ["bun"],
    tests: /pipelined requests in order$/
  },
  {
    path: "Server/MountConnection.test.ts",
    reason: "Deno sends no reply before the body has come",
    runtimes: ["deno"],
    tests: /while the body still comes$/
  },
  { path: "Server/OneTrace.test.ts", reason: resolve, runtimes: ["deno"] },
  {
    path: "Server/Ports.test.ts",
    reason: "the drain closes idle connections at once, and fetch of the runtime reuses them",
    runtimes: both,
    tests: /answered while the app drains/
  },
  {
    path: "Server/StreamedBodies.test.ts",
    reason: "a Request of GET has no body, and a body is read once",
    runtimes: both,
    tests: /on node is counted with every method/
  },
  { path: "Server/Targets.test.ts", reason: parser, runtimes: both },
  {
    path: "Server/TrailingSlash.test.ts",
    reason: parser,
    runtimes: ["bun"],
    tests: /on node \/(?:\.\.?\/items|items\/é)\/ is no way to another host or path$/
  },
  {
    path: "Server/UserCode.test.ts",
    reason: "not yet explained: the drain of Deno waits for a handler that never ends",
    runtimes: ["deno"],
    tests: /on node .*that never ends/
  },
  { path: "Server/UserCodeProcess.test.ts", reason: signals, runtimes: ["deno"] },
  {
    path: "Server/UserCodeStreams.test.ts",
    reason:
      "fetch of the runtime, the client of the test, sends a request again whose reply was cut",
    runtimes: both
  },
  {
    path: "Server/UserCodeValues.test.ts",
    reason: "the depth of a list that JSON.stringify takes is that of the runtime",
    runtimes: both,
    tests: /nested too deep/
  },
  {
    path: "Testing/TestResponse.test.ts",
    reason: "the stack of an assertion is that of V8",
    runtimes: ["bun"],
    tests: /a failed assertion prints/
  },
  {
    path: "examples/badInput.test.ts",
    reason: parser,
    runtimes: ["bun"],
    tests: /bad input (?:a huge header|no Host|no HTTP|a header name with|two lengths|a length and)/
  },
  { path: "examples/badInput.test.ts", reason: resolve, runtimes: ["deno"] },
  { path: "examples/basic.test.ts", reason: signals, runtimes: ["deno"] },
  { path: "examples/behind-nginx.test.ts", reason: signals, runtimes: ["deno"] },
  { path: "examples/bench-api.test.ts", reason: signals, runtimes: ["deno"] },
  { path: "examples/cluster-jobs.test.ts", reason: signals, runtimes: ["deno"] },
  { path: "examples/hello.test.ts", reason: signals, runtimes: ["deno"] },
  { path: "examples/microservices.test.ts", reason: signals, runtimes: ["deno"] },
  { path: "examples/migrate-from-express.test.ts", reason: signals, runtimes: ["deno"] },
  { path: "examples/multi-tenant.test.ts", reason: signals, runtimes: ["deno"] },
  { path: "examples/orders-aws.test.ts", reason: signals, runtimes: ["deno"] },
  { path: "examples/org-overlay.test.ts", reason: signals, runtimes: ["deno"] },
  { path: "examples/realtime.test.ts", reason: signals, runtimes: ["deno"] },
  { path: "examples/recipe-apiProcess.test.ts", reason: signals, runtimes: ["deno"] },
  { path: "examples/sample-api.test.ts", reason: resolve, runtimes: ["deno"] },
  { path: "examples/sample-apiProcess.test.ts", reason: signals, runtimes: ["deno"] }
]

/** Returns the differences of a runtime. */
export const of = (runtime: Runtime | undefined): ReadonlyArray<Difference> =>
  all.filter(({ runtimes }) => runtime !== undefined && runtimes.includes(runtime))
