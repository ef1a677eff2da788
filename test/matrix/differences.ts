/**
 * The tests that a run for another runtime leaves out, and why. `test/runtimes/cases.ts` has the answers of the
 * parsers of the runtimes to single requests.
 */
import type { runtimes } from "./combination.ts"

type Runtime = (typeof runtimes)[number]

interface Left {
  /** A file or a folder of `test`. */
  readonly path: string
  readonly runtimes: ReadonlyArray<Runtime>
  /** Matches the full names of the tests. Default: all of the file or the folder, which is not loaded. */
  readonly tests?: RegExp
}

/** Tests for what the runtime decides. The guide for the edge has the answers of the runtimes. */
interface Decided extends Left {
  /** What the runtime does instead: the end of a sentence that begins with its name. */
  readonly answer: string
}

/** Tests for another reason. */
interface Other extends Left {
  readonly reason: string
}

const bun: ReadonlyArray<Runtime> = ["bun"]

const deno: ReadonlyArray<Runtime> = ["deno"]

const both: ReadonlyArray<Runtime> = ["bun", "deno"]

const answers = {
  brokenChunk: "closes the connection of a request with a broken chunk, without a reply",
  brokenFrame: "closes a WebSocket without a closing frame if a frame breaks the protocol",
  chunks: "sends a stream in chunks, without the `Content-Length` of its reply",
  closesAtOnce:
    "closes at once after `Connection: close`: a client that is still sending may lose the reply",
  closingFrame:
    "sends no closing frame to a client of a WebSocket that sends another message before",
  closesSilently:
    "ends a connection after its last reply without `close` in a `Connection` of the reply",
  compression: "does not compress the messages of WebSockets",
  continues: "sends `100 Continue` to each request that expects it, also to one that is refused",
  cut: "ends a stream of HTTP/2 that is cut when its client reads again or disconnects",
  drain: "closes idle connections as soon as the app drains",
  early: "closes a connection whose reply begins before the body of its request has come",
  emptyLines: "closes a connection with two empty lines before a request",
  fragments:
    "gathers the frames of a message: `webSocket.maxFragments` has no effect, and `webSocket.maxSize` is checked when the message is whole",
  http10: "keeps no connection of HTTP/1.0 open",
  http10Reply: "answers HTTP/1.0 with HTTP/1.0",
  joins: "may send writes of a stream that follow each other at once in one chunk",
  limits: "has no `server.maxConnections` and `server.maxPipelined`",
  mask: "reads frames of WebSockets without a mask",
  http2: "speaks no HTTP/2 without TLS",
  noBody: "shows no body of a request with GET, and another body once",
  noClose: "does not close a connection after a reply with `Connection: close`",
  noEmptyLine: "answers an empty line before a request with 400",
  parser: "refuses malformed heads, targets and methods itself, as the table shows",
  pause: "cannot pause the client of a WebSocket",
  pings: "answers the pings of a WebSocket, which count in no limit",
  pipelined: "closes a connection with a second request before the first reply",
  queued: "begins a request of a connection when the reply before it is sent",
  unread: "sends 400 after the reply if a chunk that nobody reads is broken",
  upgrade: "answers a request with a body that offers an upgrade with 400",
  upgrades:
    "upgrades to WebSockets only, and has limits of its own for those of `HttpServerRequest.upgrade`",
  version: "does not show the version of HTTP, so spans have none",
  webSocketWrites: "has no `server.writeTimeout` for WebSockets",
  writes: "has no `server.writeTimeout`"
}

const collections =
  "the guide has a metric of collections, and only the node:perf_hooks of Node shows those"

const node = "it tests node:http, node:https or processes of Node"

const decided = (
  path: string,
  answer: keyof typeof answers,
  runtimes: ReadonlyArray<Runtime>,
  tests?: RegExp
): Decided => ({ answer: answers[answer], path, runtimes, ...(tests && { tests }) })

const other = (
  path: string,
  reason: string,
  runtimes: ReadonlyArray<Runtime>,
  tests?: RegExp
): Other => ({ path, reason, runtimes, ...(tests && { tests }) })

const all: ReadonlyArray<Decided | Other> = [
  other(
    "Config/Source/Files.test.ts",
    "a worker of Bun keeps the time zone of its process",
    bun,
    /means UTC and not the zone of the machine$/
  ),
  other(
    "Config/WholeFile.test.ts",
    "it starts processes with arguments of Node",
    deno,
    /fails halfway|in a folder that nothing can be added to$/
  ),
  decided(
    "Contract/ErrorEnvelope.test.ts",
    "parser",
    both,
    /is logged once for a request that the listener refuses$/
  ),
  decided(
    "Layers/Admin/Hostile.test.ts",
    "parser",
    both,
    /with (?:no Host|two lengths|a length and chunks|a long head) is refused/
  ),
  decided("Layers/Admin/Hostile.test.ts", "noClose", deno, /with a body without end is refused/),
  other("Layers/Auth/ClientCertificate.test.ts", node, both),
  other(
    "Layers/Auth/Jwt/KeySet.test.ts",
    "node:crypto of Bun knows no secp256k1, and throws where a modulus is none",
    bun,
    /EC on secp256k1$|its modulus is none/
  ),
  other(
    "Layers/Auth/Jwt/KeySet.test.ts",
    "node:crypto of Deno takes RSA keys with other exponents",
    deno,
    /RSA with (?:the exponent 1|an even exponent)$/
  ),
  other(
    "Layers/Cache/Response/Concurrency.test.ts",
    "fetch of Bun has 256 requests at once",
    bun,
    /run its handler once$/
  ),
  other(
    "Layers/Compression/Streams.test.ts",
    "the bound is for the heap of Node",
    bun,
    /takes no memory for its compressed form/
  ),
  other(
    "Layers/Database/SqlTypes.test.ts",
    "a worker of Bun keeps the time zone of its process",
    bun,
    /has another time zone than UTC$/
  ),
  decided(
    "Layers/Files/Download.test.ts",
    "chunks",
    bun,
    /(?:in memory|on the node listener) is saved under a name that leads nowhere$/
  ),
  decided(
    "Layers/Files/Serve.test.ts",
    "parser",
    bun,
    /on the node listener answer the exact bytes of a target$/
  ),
  other(
    "Layers/Logging/Logging.test.ts",
    "errors of JavaScriptCore have a line and a column",
    bun,
    /a pretty line has message/
  ),
  other(
    "Layers/Logging/PlainData.test.ts",
    "errors of JavaScriptCore have a line and a column",
    bun,
    /has the members of an AggregateError/
  ),
  decided(
    "Layers/Metrics/BatteryMetrics.test.ts",
    "parser",
    both,
    /on the listener node requests that are refused/
  ),
  other("Layers/Metrics/Guide.test.ts", collections, both),
  decided(
    "Layers/ObjectStore/ToResponse.test.ts",
    "chunks",
    bun,
    /the reply with an object, or a part of it, has its length/
  ),
  other(
    "Layers/Outgoing/Calls.test.ts",
    "node:net of Deno shows a reset before the bytes that came just before it",
    deno,
    /that is reset inside the body is a failure$/
  ),
  other(
    "Layers/Overload/Overload.test.ts",
    "Bun does not count the handles of a process",
    bun,
    /overload\.maxHandles/
  ),
  decided(
    "Layers/Overload/Sockets.test.ts",
    "pipelined",
    bun,
    /on the node listener (?:clients that disconnect leave|pipelined requests)/
  ),
  decided(
    "Layers/Overload/Sockets.test.ts",
    "queued",
    deno,
    /on the node listener (?:clients that disconnect leave|pipelined requests)/
  ),
  decided("Layers/Realtime/SseHttp2.test.ts", "cut", deno, /a client that does not read/),
  decided("Layers/Realtime/SseHttp2.test.ts", "http2", bun),
  decided(
    "Layers/Realtime/SseSockets.test.ts",
    "pipelined",
    bun,
    /of the node listener are chunks, one for each write/
  ),
  decided(
    "Layers/Realtime/SseSockets.test.ts",
    "joins",
    deno,
    /of the node listener are chunks, one for each write/
  ),
  decided("Layers/Realtime/WebSocketRefusals.test.ts", "closesSilently", bun, /on node .*ends it$/),
  decided("Layers/Realtime/WebSocketRefusals.test.ts", "http2", bun, /on node over HTTP\/2/),
  decided(
    "Layers/Realtime/WebSockets.test.ts",
    "fragments",
    both,
    /on node .*(?:a long message in fragments|thousands of empty fragments)$/
  ),
  decided(
    "Layers/Realtime/WebSockets.test.ts",
    "compression",
    both,
    /on node refuses a message that decompresses/
  ),
  other(
    "Layers/Realtime/WebSockets.test.ts",
    "Bun has its own module in the place of ws, without `maxFragments`",
    bun,
    /on proxied .*thousands of empty fragments$/
  ),
  decided("Layers/Realtime/WebSockets.test.ts", "mask", deno, /on node .*an unmasked frame$/),
  decided(
    "Layers/Realtime/WebSockets.test.ts",
    "webSocketWrites",
    bun,
    /on node is gone after server/
  ),
  decided("Layers/Realtime/WebSockets.test.ts", "writes", deno, /on node is gone after server/),
  decided(
    "Layers/Realtime/WebSockets.test.ts",
    "brokenFrame",
    deno,
    /on node .*(?:a reserved bit|an unknown opcode|continuation of nothing|a fragmented ping|a ping that is too long|invalid UTF-8)$/
  ),
  decided("Layers/Realtime/WebSockets.test.ts", "pings", deno, /on node .*too many pings$/),
  decided("Layers/Realtime/WebSockets.test.ts", "pause", deno, /on node is patient/),
  decided(
    "Layers/Realtime/WebSockets.test.ts",
    "closingFrame",
    deno,
    /on node .*too many messages$/
  ),
  other(
    "Layers/Templates/conformance.test.ts",
    "node:vm of Deno shows no line of a syntax error",
    deno,
    /all problems are in one report, each with its line|has the line of its tag/
  ),
  other(
    "Layers/Timeout/Listeners.test.ts",
    "the clients of Deno, WebSocket and streams of fetch, are late for the clock of the test",
    deno,
    /has no limit$|does not read its body is answered$/
  ),
  decided(
    "Server/Bounds.test.ts",
    "noClose",
    deno,
    /on node in many pieces .* its connection closes$/
  ),
  decided("Server/Differential.test.ts", "http2", bun, /http2: /),
  other(
    "Server/ErrorEnvelope.test.ts",
    "the text of an error of JSON.parse is that of JavaScriptCore",
    bun,
    /\/send \{"body":"\{"/
  ),
  decided(
    "Server/ErrorEnvelope.test.ts",
    "parser",
    both,
    /on node of a request that the listener refuses .*: (?:a request line that is none|no Host|a version that is unknown|too long fields|a chunk that is none)$/
  ),
  decided(
    "Server/ErrorEnvelope.test.ts",
    "noClose",
    deno,
    /on node of a request that the listener refuses .*: (?:an expectation that is unknown|CONNECT)$/
  ),
  decided(
    "Server/Exchange/ServerSpan.test.ts",
    "version",
    both,
    /on node have the names and attributes/
  ),
  decided("Server/Exchange/ServerSpan.test.ts", "upgrades", both, /on node of an upgrade end/),
  decided(
    "Server/Fuzz.test.ts",
    "parser",
    both,
    /mutated requests end no process, hang no connection, and are answered alike/
  ),
  decided("Server/Listener/BrokenBodies.test.ts", "unread", bun, /on node that nobody reads/),
  decided(
    "Server/Listener/BrokenBodies.test.ts",
    "pipelined",
    bun,
    /on node (?:of a client that leaves while|that .* takes no reply with it that is owed$)/
  ),
  decided(
    "Server/Listener/BrokenBodies.test.ts",
    "brokenChunk",
    deno,
    /on node (?:of \S+ is refused if a chunk|that nobody reads)/
  ),
  decided(
    "Server/Listener/BrokenBodies.test.ts",
    "queued",
    deno,
    /on node (?:of a client that leaves while|that .* takes no reply with it that is owed$)/
  ),
  decided(
    "Server/Listener/ConnectionEnd.test.ts",
    "continues",
    both,
    /on node with Expect: 100-continue (?:gets the final|behind)/
  ),
  decided(
    "Server/Listener/ConnectionEnd.test.ts",
    "pipelined",
    bun,
    /on node with Expect: 100-continue is asked .* after the replies before$|on node after a reply that closes it a request behind/
  ),
  decided(
    "Server/Listener/ConnectionEnd.test.ts",
    "closesAtOnce",
    bun,
    /on node (?:whose client has its last reply counts|of HTTP\/1\.1 .* stays open: false$|with a body that nobody reads .* ends if the body is long$)/
  ),
  decided(
    "Server/Listener/ConnectionEnd.test.ts",
    "parser",
    bun,
    /on node after a reply that closes it to (?:a body|a refused) .*(?:a malformed head|no HTTP)/
  ),
  decided("Server/Listener/ConnectionEnd.test.ts", "http10", bun, /on node of HTTP\/1\.0/),
  decided(
    "Server/Listener/ConnectionEnd.test.ts",
    "noEmptyLine",
    bun,
    /on node skips empty lines before requests/
  ),
  decided(
    "Server/Listener/ConnectionEnd.test.ts",
    "queued",
    deno,
    /on node after a reply that closes it a request behind/
  ),
  decided(
    "Server/Listener/ConnectionEnd.test.ts",
    "noClose",
    deno,
    /on node (?:after a reply that closes it to (?:a body|a refused)|whose client has its last reply)/
  ),
  decided(
    "Server/Listener/ConnectionEnd.test.ts",
    "http10Reply",
    deno,
    /on node (?:of HTTP\/1\.0|after a reply that closes it to a request of HTTP)/
  ),
  decided(
    "Server/Listener/ConnectionEnd.test.ts",
    "emptyLines",
    deno,
    /on node skips empty lines before requests: [28]$/
  ),
  decided(
    "Server/Listener/ConnectionEnd.test.ts",
    "early",
    deno,
    /on node with a body that nobody reads .* reads the next request$/
  ),
  decided("Server/Listener/KeepAlive.test.ts", "http10", bun, /on node of HTTP\/1\.0 stays open/),
  decided(
    "Server/Listener/KeepAlive.test.ts",
    "http10Reply",
    deno,
    /on node of HTTP\/1\.0 stays open/
  ),
  decided(
    "Server/Listener/KeepAlive.test.ts",
    "continues",
    both,
    /on node stays open if a body with Expect/
  ),
  other("Server/Listener/LastAccept.test.ts", node, deno),
  decided(
    "Server/Listener/Limits.test.ts",
    "limits",
    both,
    /on node (?:has at most server\.maxPipelined|that closes has no more|above server\.maxConnections)/
  ),
  decided("Server/Listener/Limits.test.ts", "writes", deno, /on node whose client does not read/),
  other("Server/Listener/Linger.test.ts", node, bun),
  other("Server/Listener/Node", node, both),
  other("Server/Listener/NodeVersion.test.ts", node, both),
  other("Server/Listener/OldSpace.test.ts", "JavaScriptCore has no old space", bun),
  other(
    "Server/Listener/Proxied/Parse/Fuzz.test.ts",
    "node:http of Deno has another parser than that of Node",
    deno
  ),
  decided("Server/Listener/Refused.test.ts", "continues", both, /of node .*100 Continue/),
  decided(
    "Server/Listener/Refused.test.ts",
    "closesAtOnce",
    bun,
    /of node .*written before it is read .* answered with 4(?:00|13),/
  ),
  decided(
    "Server/Listener/Upgrade.test.ts",
    "pipelined",
    bun,
    /on node is answered after the requests before/
  ),
  decided("Server/Listener/Upgrade.test.ts", "parser", deno, /on node keeps the rules for Host/),
  decided(
    "Server/Listener/Upgrade.test.ts",
    "upgrade",
    deno,
    /on node (?:to HTTP\/2 is ignored|with a body)/
  ),
  decided(
    "Server/Listener/UpgradeLimits.test.ts",
    "upgrades",
    both,
    /on node (?:closes|counts|does not|ends|has messages|stops|whose|with)/
  ),
  decided(
    "Server/Listener/UpgradeLimits.test.ts",
    "pipelined",
    bun,
    /on node (?:before|has a connection)/
  ),
  other("Server/Listener/Workers", node, both),
  decided(
    "Server/MountConnection.test.ts",
    "pipelined",
    bun,
    /on node serves pipelined requests in order$/
  ),
  decided("Server/MountConnection.test.ts", "early", deno, /while the body still comes$/),
  decided("Server/Ports.test.ts", "drain", both, /answered while the app drains/),
  decided("Server/StreamedBodies.test.ts", "noBody", both, /on node is counted with every method/),
  other(
    "Server/Targets.test.ts",
    "fetch of Bun sends one slash for two",
    bun,
    /on \w+ \/\/(?:items|raw)/
  ),
  decided(
    "Server/Targets.test.ts",
    "parser",
    bun,
    /on node (?:the method|OPTIONS \*|GET (?:http:\/\/y|ftp|\*|items))/
  ),
  decided("Server/Targets.test.ts", "parser", deno, /on node (?:the method|GET (?:\*|items))/),
  decided(
    "Server/TrailingSlash.test.ts",
    "parser",
    bun,
    /on node \/(?:\.\.?\/items|items\/é)\/ is no way to another host or path$/
  ),
  other(
    "Server/UserCodeValues.test.ts",
    "the depth of a list that JSON.stringify takes is that of the runtime",
    both,
    /nested too deep/
  ),
  other(
    "Testing/TestResponse.test.ts",
    "the stack of an assertion is that of V8",
    bun,
    /a failed assertion prints/
  ),
  other("deploy/observability.test.ts", collections, both),
  decided("examples/badInput.test.ts", "closesAtOnce", bun, /bad input 9 MiB in chunks$/),
  decided(
    "examples/badInput.test.ts",
    "parser",
    both,
    /bad input (?:a huge header|no Host|no HTTP|a header name with|two lengths|a length and)/
  )
]

const names = { bun: "Bun", deno: "Deno" }

/** Returns the answers of the runtimes as the list of the guide. */
export const list = (): string =>
  Object.values(answers)
    .map((answer) => {
      const deciding = all.filter((one) => "answer" in one && one.answer === answer)
      const mentioned = both.filter((name) =>
        deciding.some(({ runtimes }) => runtimes.includes(name))
      )
      return `- ${mentioned.map((name) => names[name]).join(" and ")}: ${answer}.`
    })
    .sort()
    .join("\n")

/** Returns what a run for a runtime leaves out. */
export const of = (
  runtime: Runtime | undefined
): ReadonlyArray<Left & { readonly reason: string }> =>
  all
    .filter(({ runtimes }) => runtime !== undefined && runtimes.includes(runtime))
    .map((one) => ({ ...one, reason: "answer" in one ? `the runtime ${one.answer}` : one.reason }))
