// Runs the tests on codecs and listeners, one combination after the other, and counts them.
//
//   node tools/matrix.ts                 every test on every combination
//   node tools/matrix.ts --short         the combinations that CI runs besides `npm test`
//   node tools/matrix.ts --listener=bun  only the combinations with this listener
//   node tools/matrix.ts test/examples   other arguments are passed to vitest
//
// The tests of the listeners "bun" and "deno" run in these runtimes, so they cannot share a process with others.
// Reports are in reports/<codec>-<listener>.json.
import { spawnSync } from "node:child_process"
import { existsSync, globSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { codecs, listeners, runtimes } from "../test/matrix/combination.ts"
import * as differences from "../test/matrix/differences.ts"
import { commands, obstacle } from "../test/runtimes/commands.ts"

const root = join(import.meta.dirname, "..")

const combinations = [...listeners, ...runtimes].flatMap((listener) =>
  codecs.map((codec) => ({ codec, listener }))
)

/** Together with the combination of `npm test`, these cover every codec and every listener. */
const others = combinations.filter(
  ({ codec, listener }) =>
    (codec === "effect" && listener === "web") || (codec === "compiled" && listener !== "web")
)

/** The suites that depend on codec and listener, without the slowest. */
const serving = [
  ...globSync("test/Layers/*", { cwd: root }).filter(
    (folder) => !/(?:Database|Redis)$/.test(folder)
  ),
  "test/App.test.ts",
  "test/Testing",
  "test/examples"
]

/** The suites that depend on the listener alone. */
const listening = [
  "test/Plugin/Signals.test.ts",
  "test/Server/Listener/Drain.test.ts",
  "test/Server/Listener/Node"
]

/** The suites that serve on each listener by themselves. Their clients use HTTP/2 only in a run for it. */
const overHttp2 = globSync("test/Server/{*,Exchange/*,Listener/*}.test.ts", { cwd: root })

/**
 * The suites in those folders that serve no request, that always serve in memory or on each listener, whose
 * clients send bytes of HTTP/1.1, or whose clock moves on before a request would come through a socket.
 * `Timeout/Listeners` has the same limits on each listener.
 */
const independent = [
  "Admin/Process",
  "Auth/Backend/Source",
  "Auth/Guesses",
  "Auth/Imports",
  "Auth/Jwt/Differential",
  "Cache/conformance",
  "Cache/Flights",
  "Cache/Guard",
  "Cache/Memcached",
  "Cache/MemoryStore",
  "Cache/outage",
  "Cache/Processes",
  "Cache/Tiers",
  "Cache/Transaction",
  "Cluster/ClusterPlugin",
  "Cluster/Processes",
  "Compression/AcceptEncoding",
  "DynamoDb/AwsBackend",
  "DynamoDb/conformance",
  "Files/Download",
  "Files/Receive",
  "Files/Serve",
  "DynamoDb/Differential",
  "DynamoDb/Table",
  "Health/HealthMonitor",
  "Idempotency/conformance",
  "Idempotency/Database",
  "Idempotency/Killed",
  "Jobs/Bounds",
  "Jobs/Drill",
  "Jobs/DueTimes",
  "Jobs/Jobs.test",
  "Jobs/Processes",
  "Jobs/SqlStore",
  "Logging/OutputProcess",
  "Logging/PlainData",
  "Logging/Process",
  "Logging/Redaction",
  "Logging/Stdout",
  "Metrics/Guide",
  "ObjectStore/conformance",
  "ObjectStore/DirectoryBackend",
  "ObjectStore/S3Backend",
  "ObjectStore/ToResponse",
  "OpenApi/Documents",
  "OpenApi/Paths",
  "OpenApi/Pattern",
  "OpenApi/Schemas",
  "Outgoing/Address",
  "Outgoing/Calls",
  "Outgoing/Hostile",
  "Outgoing/TestHttpClient",
  "Outgoing/Tls",
  "Outgoing/Upstreams",
  "Outgoing/UserUrls",
  "Overload/Gate",
  "Overload/Sockets",
  "RateLimit/MemoryStore",
  "RateLimit/Nginx",
  "RateLimit/Processes",
  "RateLimit/RedisStore",
  "Queue/Admin",
  "Queue/conformance",
  "Queue/Depth",
  "Queue/Drill",
  "Queue/Engine",
  "Queue/Line",
  "Queue/Outage",
  "Queue/Outbox",
  "Queue/Pause",
  "Queue/Workers",
  "Realtime/BroadcastConformance",
  "Realtime/BroadcastOutage",
  "Realtime/BroadcastPlugin",
  "Realtime/EventLog",
  "Realtime/RollingRestart",
  "Realtime/SseCatchUp",
  "Realtime/SseHttp2",
  "Realtime/SseSockets",
  "Realtime/AsyncApi",
  "Realtime/WebSocketAuth",
  "Realtime/WebSockets",
  "Secrets/conformance",
  "Secrets/Refreshed",
  "Telemetry/Hostile",
  "Telemetry/Process",
  "Telemetry/Sampler",
  "Telemetry/TelemetryConfig",
  "Telemetry/Trouble",
  "Templates/Build",
  "Templates/conformance",
  "Templates/Place",
  "Timeout/CallerDeadline",
  "Timeout/Replies",
  "Timeout/Timeout"
]
  .map((name) => `test/Layers/${name}.test.ts`)
  .concat(
    "test/Server/Fuzz.test.ts",
    "test/Server/Listener/BrokenBodies.test.ts",
    "test/Server/Listener/ConnectionEnd.test.ts",
    "test/Server/Listener/KeepAlive.test.ts",
    "test/Server/Listener/Limits.test.ts",
    "test/Server/Listener/Linger.test.ts",
    "test/Server/Listener/OldSpace.test.ts",
    "test/Server/Listener/Upgrade.test.ts",
    "test/Server/Listener/UpgradeLimits.test.ts",
    "test/Server/Listener/Node/Http2/Limits.test.ts",
    "test/Server/Listener/Node/Http2/Silence.test.ts",
    "test/examples/cluster-jobs.test.ts"
  )

/** The suites of other runtimes in CI. They take seconds, and use all parts of a listener. */
const ofRuntimes = [
  "test/Layers/Compression",
  "test/Layers/Outgoing/OutgoingPlugin.test.ts",
  "test/Layers/Realtime/WebSocket",
  "test/Server/Bounds.test.ts",
  "test/Server/ErrorEnvelope.test.ts",
  "test/Server/Finalizers.test.ts",
  "test/Server/StreamedBodies.test.ts",
  "test/Server/Targets.test.ts",
  "test/Server/TrailingSlash.test.ts"
]

const isShort = process.argv.includes("--short")
const only = process.argv.find((argument) => argument.startsWith("--listener="))?.slice(11)
const given = process.argv
  .slice(2)
  .filter((argument) => argument !== "--short" && !argument.startsWith("--listener="))

/** The parameters that choose the suites of CI for a listener. */
const suitesFor = (listener: string) =>
  runtimes.some((runtime) => runtime === listener)
    ? ofRuntimes
    : [
        ...serving,
        ...(listener === "web" ? [] : listening),
        ...(listener === "node-h2" ? overHttp2 : []),
        ...independent.flatMap((suite) => ["--exclude", suite])
      ]

/** What runs Vitest for a listener. */
const runner = (name: string) => {
  const runtime = runtimes.find((one) => one === name)
  if (runtime === undefined) return { command: process.execPath, parameters: [] }
  const problem = obstacle(runtime)
  if (problem !== undefined && process.env["CI_SERVICES"] === "required") throw new Error(problem)
  if (problem !== undefined) {
    process.stdout.write(`Skipped: ${problem}\n`)
    return undefined
  }
  for (const { path, reason, tests = "all" } of differences.of(runtime)) {
    process.stdout.write(`Left out of test/${path}: ${tests} (${reason})\n`)
  }
  const { command, parameters } = commands[runtime]
  return { command, parameters: runtime === "bun" ? ["--bun"] : parameters }
}

const broken: Array<string> = []
let failed = 0
let passed = 0
let skipped = 0

for (const { codec, listener } of isShort ? others : combinations) {
  if (only !== undefined && only !== listener) continue
  const name = `${codec} codec, ${listener} listener`
  process.stdout.write(`\n== ${name}\n`)
  const run = runner(listener)
  if (run === undefined) continue
  const report = join(root, `reports/${codec}-${listener}.json`)
  rmSync(report, { force: true })
  const vitest = spawnSync(
    run.command,
    [
      ...run.parameters,
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
      ...(isShort ? suitesFor(listener) : []),
      ...given
    ],
    {
      cwd: root,
      env: { ...process.env, TEST_CODEC: codec, TEST_LISTENER: listener },
      stdio: "inherit"
    }
  )
  if (vitest.status !== 0) broken.push(name)
  if (!existsSync(report)) continue
  const counts = JSON.parse(readFileSync(report, "utf8"))
  failed += counts.numFailedTests
  passed += counts.numPassedTests
  skipped += counts.numPendingTests + counts.numTodoTests
}

process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`)
for (const name of broken) process.stdout.write(`FAILED: ${name}\n`)
process.exitCode = broken.length === 0 ? 0 : 1
