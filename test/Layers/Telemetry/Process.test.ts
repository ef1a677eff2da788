/** What a real process exports until it ends. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Answer, Collector } from "./Collector.ts"
import { variables } from "./lamps.ts"

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** Starts the process, sends it a request and SIGTERM, and returns how it ended. */
const run = async (env: Readonly<Record<string, string>>) => {
  const child = spawn(
    `${root}/node_modules/.bin/node`,
    ["--conditions=flange-source", "test/Layers/Telemetry/fixture.ts"],
    {
      cwd: root,
      env: { ...process.env, FLANGE_ENV: "staging", HOST: "127.0.0.1", PORT: "0", ...env },
      stdio: ["ignore", "pipe", "pipe"]
    }
  )
  try {
    let output = ""
    child.stderr.on("data", (chunk) => (output += chunk))
    const exit = once(child, "close")
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.on("data", (chunk) => {
        output += chunk
        const found = /listens on (http:\/\/[\d.:]+)/.exec(output)
        if (found !== null) resolve(found[1]!)
      })
      void exit.then(() => reject(new Error(output)))
    })
    const reply = await fetch(`${url}/lamps/7`)
    expect(reply.status).toBe(200)
    await reply.text()
    child.kill("SIGTERM")
    const [code] = await exit
    return { code: code as number, output }
  } finally {
    child.kill("SIGKILL")
  }
}

/** Longer than the test, so that only the end of the process exports. */
const late = {
  OTEL_BLRP_SCHEDULE_DELAY: "100000000",
  OTEL_BSP_SCHEDULE_DELAY: "100000000",
  OTEL_EXPORTER_OTLP_TIMEOUT: "100000000"
}

it.live("a process that gets SIGTERM exports everything that waits", () =>
  Effect.gen(function* () {
    const collector = yield* Collector.make
    const { code } = yield* Effect.promise(() => run(variables(collector, late)))
    expect(code).toBe(0)
    expect(collector.spans.map(({ name }) => name)).toContain("GET /lamps/:id")
    const messages = collector.logs.map(({ body }) => body.stringValue)
    expect(messages).toContain("read")
    expect(messages.some((message) => message.startsWith("GET /lamps/:id 200"))).toBe(true)
    expect(messages.some((message) => message.startsWith("Stopping"))).toBe(true)
    expect(collector.metrics.map(({ name }) => name)).toContain("http.server.request.duration")
    expect(collector.resource()).toMatchObject({
      "deployment.environment.name": "staging",
      "process.pid": expect.any(Number)
    })
  })
)

it.live("a collector that never answers keeps a process for the shutdown timeout only", () =>
  Effect.gen(function* () {
    const collector = yield* Collector.make
    const hang: Answer = () => {}
    collector.answer = hang
    const { code, output } = yield* Effect.promise(() =>
      run(variables(collector, { ...late, FLANGE__TELEMETRY__SHUTDOWN_TIMEOUT: "50" }))
    )
    expect(code).toBe(0)
    const warning = output.split("\n").find((line) => line.includes("Telemetry was not exported"))
    const { level, message } = JSON.parse(warning!)
    expect(level).toBe("warn")
    expect(message).toMatch(/\d+ spans, because the app stopped/)
    expect(message).toMatch(/\d+ log records, because the app stopped/)
  })
)
