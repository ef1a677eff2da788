// The files of deploy/observability. No container engine runs here: the keys of the YAML files are
// compared with those that each program documents, promtool checks what is Prometheus', and the names of
// metrics and labels are looked up in a running app.
import { execFileSync } from "node:child_process"
import * as Effect from "effect/Effect"
import { beforeAll, describe, expect, it } from "vitest"
import { scrape } from "../Layers/Metrics/everything.ts"
import { type Sample, samplesOf } from "../Layers/Metrics/samples.ts"
import { promtool } from "../Layers/Metrics/tools.ts"
import {
  Collector,
  Compose,
  dashboard,
  Datasources,
  files,
  folder,
  has,
  Providers,
  rules,
  strict,
  Tempo,
  yaml
} from "./observability.ts"
import { read } from "./promql.ts"

/** Labels that Prometheus adds, and the one of buckets. */
const added = ["instance", "job", "le"]

const panels = dashboard.panels.flatMap(({ targets = [], title }) =>
  targets.map(({ expr, legendFormat }) => ({ expr, legend: legendFormat, name: title }))
)

const alerts = rules.map(({ alert, annotations, expr }) => ({
  expr,
  legend: annotations.summary,
  name: alert
}))

const variables = dashboard.templating.list.flatMap(({ name, query }) => {
  const text = typeof query === "string" ? query : query.query
  const [, expr, label] = /^label_values\((.+), (\w+)\)$/.exec(text) ?? []
  return expr === undefined ? [] : [{ expr, legend: `{{${label}}}`, name }]
})

/** Returns the names in an expression and its legend that an app does not have. */
const unknownIn = (
  samples: ReadonlyArray<Sample>,
  { expr, legend }: { readonly expr: string; readonly legend: string }
): ReadonlyArray<string> => {
  const { grouped, made, uses } = read(expr)
  const known = new Set([...added, ...made])
  const problems: Array<string> = []
  for (const { equal, labels, name } of uses) {
    if (name === "up") continue
    const own = samples.filter((sample) => sample.name === name)
    if (own.length === 0) problems.push(name)
    const has = new Set([...added, ...own.flatMap((sample) => Object.keys(sample.labels))])
    problems.push(...labels.filter((label) => !has.has(label)).map((label) => `${name}{${label}}`))
    for (const label of has) known.add(label)
    for (const [label, value] of Object.entries(equal)) {
      if (!label.startsWith("flange_")) continue
      if (own.some((sample) => sample.labels[label] === value)) continue
      problems.push(`${name}{${label}="${value}"}`)
    }
  }
  const shown = [...legend.matchAll(/\{\{ ?(?:\$labels\.)?(\w+) ?\}\}/g)].map(([, label]) => label!)
  return [...problems, ...[...grouped, ...shown].filter((label) => !known.has(label))]
}

describe("the metrics of the dashboard and the alerts", () => {
  let samples: ReadonlyArray<Sample> = []
  beforeAll(async () => {
    samples = samplesOf(await Effect.runPromise(scrape))
  }, 60_000)

  it.each([...panels, ...alerts, ...variables])("$name: $expr", (one) => {
    expect(unknownIn(samples, one)).toEqual([])
  })

  it("a name, a label and a value that no app has are found", () => {
    const unknown = (expr: string, legend = "") => unknownIn(samples, { expr, legend })
    expect(unknown("rate(http_requests_total[5m])")).toEqual(["http_requests_total"])
    expect(unknown('process_uptime_seconds{route="/"} > 1')).toEqual([
      "process_uptime_seconds{route}"
    ])
    expect(unknown("sum by (path) (process_uptime_seconds)")).toEqual(["path"])
    expect(unknown("process_uptime_seconds", "{{host}}")).toEqual(["host"])
    expect(unknown('flange_health_component{flange_health_state="dead"}')).toEqual([
      'flange_health_component{flange_health_state="dead"}'
    ])
  })

  it("the dashboard shows every metric of the app but the buckets of its own kinds", () => {
    const shown = new Set(panels.flatMap(({ expr }) => read(expr).uses.map(({ name }) => name)))
    const family = (name: string) => name.replace(/_(?:bucket|count|sum)$/, "")
    const families = new Set([...shown].map(family))
    const missing = samples
      .map(({ name }) => name)
      .filter((name) => !families.has(family(name)) && !/_delay_p90_/.test(name))
    expect([...new Set(missing)]).toEqual([])
  })
})

describe.skipIf(promtool.missing !== undefined)("promtool accepts", () => {
  it.each([
    ["the configuration", ["check", "config", "prometheus.yaml"]],
    ["the rules", ["check", "rules", "rules.yaml"]],
    ["what the rules do", ["test", "rules", "rules.test.yaml"]]
  ] as const)("%s", (_, args) => {
    execFileSync("promtool", args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] })
  })
})

it("every alert has a test", () => {
  const text = JSON.stringify(yaml("rules.test.yaml"))
  for (const { alert } of rules) expect(text).toContain(`"alertname":"${alert}"`)
})

it("the panels of the dashboard have ids of their own and do not overlap", () => {
  const cells = new Set<string>()
  for (const { gridPos } of dashboard.panels) {
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(x).toBeLessThan(24)
        expect(cells.has(`${x} ${y}`)).toBe(false)
        cells.add(`${x} ${y}`)
      }
    }
  }
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
})

describe("the containers", () => {
  const { services } = strict(Compose)(yaml("compose.yaml"))
  const collector = strict(Collector)(yaml("collector.yaml"))
  const tempo = strict(Tempo)(yaml("tempo.yaml"))
  const sources = strict(Datasources)(yaml("grafana/provisioning/datasources/datasources.yaml"))
  const { providers } = strict(Providers)(yaml("grafana/provisioning/dashboards/dashboards.yaml"))

  /** Where a container has a file of the folder. */
  const mounts = (service: string) =>
    (services[service]?.volumes ?? []).map(
      (volume) => volume.slice(2, -3).split(":") as [string, string]
    )

  it("mount files that are there, and read the ones that are mounted", () => {
    for (const [name, { command = [] }] of Object.entries(services)) {
      for (const [file] of mounts(name)) expect(has(file), file).toBe(true)
      const config = command.map((part) => /config[.=](?:file=)?(\S+)$/.exec(part)?.[1])
      const own = config.filter(
        (path) => path !== undefined && path !== "/etc/loki/local-config.yaml"
      )
      for (const path of own) expect(mounts(name).map(([, to]) => to)).toContain(path)
    }
    const mounted = Object.keys(services).flatMap((name) => mounts(name).map(([file]) => file))
    const unused = files.filter((file) => !mounted.some((each) => file.startsWith(each)))
    expect(unused.sort()).toEqual(["compose.yaml", "rules.test.yaml"])
    const [grafana] = mounts("grafana")
    expect(providers.map(({ options }) => options.path)).toEqual([grafana![1]])
  })

  it("wait for services that are there", () => {
    for (const { depends_on = [] } of Object.values(services)) {
      for (const name of depends_on) expect(services).toHaveProperty(name)
    }
  })

  it("call each other at the ports on which they listen", () => {
    const ports: Readonly<Record<string, ReadonlyArray<string>>> = {
      loki: ["3100"],
      prometheus: ["9090"],
      tempo: [
        String(tempo.server.http_listen_port),
        tempo.distributor.receivers.otlp.protocols.grpc.endpoint.split(":")[1]!
      ]
    }
    const urls = [
      ...Object.values(collector.exporters).map(({ endpoint }) => endpoint),
      ...sources.datasources.map(({ url }) => url)
    ]
    for (const url of urls) {
      const [, host, port] = /^(?:http:\/\/)?(\w+):(\d+)/.exec(url)!
      expect(ports[host!], url).toContain(port)
    }
    const received = collector.receivers.otlp.protocols.http.endpoint.split(":")[1]
    expect(services["collector"]!.ports).toEqual([`127.0.0.1:${received}:${received}`])
  })

  it("the pipelines of the collector use what is configured, all of it", () => {
    for (const kind of ["exporters", "processors", "receivers"] as const) {
      const used = Object.values(collector.service.pipelines).flatMap((pipeline) => pipeline[kind])
      expect([...new Set(used)].sort()).toEqual(Object.keys(collector[kind]).sort())
    }
  })

  it("Grafana leads from an exemplar and a log line to the trace, and from the trace to the logs", () => {
    const byType = new Map(sources.datasources.map((source) => [source.type, source]))
    const { jsonData, uid } = byType.get("tempo")!
    expect(byType.get("prometheus")!.jsonData.exemplarTraceIdDestinations).toEqual([
      { datasourceUid: uid, name: "trace_id" }
    ])
    expect(byType.get("loki")!.jsonData.derivedFields).toMatchObject([
      { datasourceUid: uid, matcherRegex: "trace_id", matcherType: "label" }
    ])
    expect(jsonData.tracesToLogsV2).toMatchObject({
      datasourceUid: byType.get("loki")!.uid,
      filterByTraceID: true
    })
    expect(services["prometheus"]!.command).toContain("--enable-feature=exemplar-storage")
  })
})
