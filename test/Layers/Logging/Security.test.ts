import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Metric from "effect/Metric"
import { App, Plugin, Route } from "flange"
import { MockAuth } from "flange/Auth/Testing"
import * as Logging from "flange/Logging"
import { Drops } from "../../../src/Layers/Logging/Drops.ts"
import { listening, parsed } from "./lines.ts"
import { start, until } from "./process.ts"

class OwnApi extends HttpApiGroup.make("own").add(HttpApiEndpoint.get("own", "/own")) {}
const Own = Plugin.make("app:own", {
  routes: [Route.protected(OwnApi, (handlers) => handlers.handleAll({ own: () => Effect.void }))]
})

it("security events are in the log, and in the file of logging.security too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "flange-log-"))
  try {
    const security = join(folder, "security.log")
    const { close, lines, url } = await listening([MockAuth.anonymous(), Own], {
      logging: { security }
    })
    expect((await fetch(`${url}/own`)).status).toBe(401)
    await close()
    const denied = parsed(lines).filter(({ tag }) => tag === "security")
    expect(denied).toMatchObject([{ level: "warn", message: "Caller denied", outcome: "denied" }])
    const text = readFileSync(security, "utf8")
    expect(
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
    ).toEqual(denied)
  } finally {
    rmSync(folder, { force: true, recursive: true })
  }
})

it("security events on stderr are JSON, while the log is for people", async () => {
  const app = await start({ FLANGE__LOGGING__SECURITY: "stderr", FLANGE_ENV: "local" })
  try {
    await fetch(`${app.url}/secure`)
    await until(() => app.stderr().includes("\n"))
    expect(JSON.parse(app.stderr().split("\n")[0]!)).toMatchObject({
      message: "watched",
      tag: "security"
    })
    expect(app.stdout()).toMatch(/ WARN {2}watched .*tag=security/)
  } finally {
    app.child.kill("SIGKILL")
  }
})

it("one file for the log and for security events is refused", async () => {
  const app = App.make("shop", [Logging.plugin], {
    config: { values: { logging: { file: "a.log", security: "a.log" } }, variables: {} }
  })
  const web = App.toWebHandler(app)
  const error = await web.handler(new Request("http://app/")).catch((error: unknown) => error)
  expect(String(error)).toContain("logging.file is the same file")
  await web.dispose()
})

it("lost lines are counted in a metric by reason, also those from before the registry is known", () => {
  const services = Context.make(Metric.MetricRegistry, new Map())
  const drops = new Drops()
  drops.add("full", 2)
  drops.connect(services)
  drops.add("full", 3)
  const counts = Metric.snapshotUnsafe(services).map(({ attributes, description, id, state }) => [
    id,
    attributes,
    description !== undefined,
    state
  ])
  expect(counts).toMatchObject([
    ["flange.log.dropped", { reason: "failed" }, true, { count: 0 }],
    ["flange.log.dropped", { reason: "full" }, true, { count: 5 }]
  ])
})
