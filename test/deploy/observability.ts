/** The files of `deploy/observability`, and the rules that they follow. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Schema from "effect/Schema"
import { parseDocument } from "yaml"
import { root } from "../examples/process.ts"

export const folder = join(root, "deploy/observability")

/** Reads a file of YAML. Throws for what is not YAML, such as a key that stands twice. */
export const yaml = (file: string): unknown => {
  const document = parseDocument(readFileSync(join(folder, file), "utf8"))
  for (const problem of [...document.errors, ...document.warnings]) throw problem
  return document.toJS()
}

/** The files in the folder, by their paths. */
export const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))

const {
  Array: List,
  Boolean,
  Literal,
  Literals,
  Number,
  optionalKey,
  Record,
  String,
  Struct
} = Schema

const Texts = List(String)

const texts = Record(String, String)

/** The keys of Compose that the file uses. */
export const Compose = Struct({
  services: Record(
    String,
    Struct({
      command: optionalKey(Texts),
      depends_on: optionalKey(Texts),
      environment: optionalKey(texts),
      extra_hosts: optionalKey(Texts),
      image: String.check(Schema.isPattern(/^[a-z0-9-]+\/[a-z0-9-]+:v?\d+\.\d+\.\d+$/)),
      ports: optionalKey(List(String.check(Schema.isPattern(/^127\.0\.0\.1:\d+:\d+$/)))),
      volumes: optionalKey(List(String.check(Schema.isPattern(/^\.\/[^:]+:\/[^:]+:ro$/))))
    })
  )
})

const Pipeline = Struct({ exporters: Texts, processors: Texts, receivers: Texts })

/** The keys of the collector that the file uses. */
export const Collector = Struct({
  exporters: Record(
    String,
    Struct({ endpoint: String, tls: optionalKey(Struct({ insecure: Boolean })) })
  ),
  processors: Record(String, Struct({})),
  receivers: Struct({
    otlp: Struct({ protocols: Struct({ http: Struct({ endpoint: String }) }) })
  }),
  service: Struct({ pipelines: Struct({ logs: Pipeline, metrics: Pipeline, traces: Pipeline }) })
})

const Path = Struct({ path: String })

/** The keys of Tempo that the file uses. */
export const Tempo = Struct({
  distributor: Struct({
    receivers: Struct({
      otlp: Struct({ protocols: Struct({ grpc: Struct({ endpoint: String }) }) })
    })
  }),
  server: Struct({ http_listen_port: Number }),
  storage: Struct({ trace: Struct({ backend: Literal("local"), local: Path, wal: Path }) })
})

const jsonData = Struct({
  derivedFields: optionalKey(
    List(
      Struct({
        datasourceUid: String,
        matcherRegex: String,
        matcherType: Literals(["label", "regex"]),
        name: String,
        url: String
      })
    )
  ),
  exemplarTraceIdDestinations: optionalKey(List(Struct({ datasourceUid: String, name: String }))),
  httpMethod: optionalKey(Literals(["GET", "POST"])),
  nodeGraph: optionalKey(Struct({ enabled: Boolean })),
  serviceMap: optionalKey(Struct({ datasourceUid: String })),
  tracesToLogsV2: optionalKey(
    Struct({
      datasourceUid: String,
      filterByTraceID: Boolean,
      spanEndTimeShift: String,
      spanStartTimeShift: String,
      tags: List(Struct({ key: String, value: String }))
    })
  )
})

/** The keys of Grafana's data sources that the file uses. */
export const Datasources = Struct({
  apiVersion: Literal(1),
  datasources: List(
    Struct({
      access: Literal("proxy"),
      isDefault: optionalKey(Boolean),
      jsonData,
      name: String,
      type: Literals(["loki", "prometheus", "tempo"]),
      uid: String,
      url: String
    })
  )
})

/** The keys of Grafana's providers of dashboards that the file uses. */
export const Providers = Struct({
  apiVersion: Literal(1),
  providers: List(Struct({ name: String, options: Path, type: Literal("file") }))
})

/** The parts of a dashboard with expressions. */
const Dashboard = Struct({
  panels: List(
    Struct({
      datasource: optionalKey(Struct({ type: String, uid: String })),
      gridPos: Struct({ h: Number, w: Number, x: Number, y: Number }),
      id: Number,
      targets: optionalKey(List(Struct({ expr: String, legendFormat: String, refId: String }))),
      title: String,
      type: Literals(["row", "table", "timeseries"])
    })
  ),
  schemaVersion: Number,
  templating: Struct({
    list: List(
      Struct({
        name: String,
        query: Schema.Union([String, Struct({ query: String, refId: String })])
      })
    )
  }),
  uid: String
})

/** The parts of alert rules. */
const Rules = Struct({
  groups: List(
    Struct({
      name: String,
      rules: List(
        Struct({
          alert: String,
          annotations: Struct({ summary: String }),
          expr: String,
          for: optionalKey(String),
          labels: Struct({ severity: Literals(["page", "ticket"]) })
        })
      )
    })
  )
})

/** Decodes with a schema; a key that the schema does not have is refused. */
export const strict = <S extends Schema.Constraint>(schema: S) =>
  Schema.decodeUnknownSync(schema as never, { errors: "all", onExcessProperty: "error" }) as (
    value: unknown
  ) => S["Type"]

export const dashboard = Schema.decodeUnknownSync(Dashboard)(
  JSON.parse(readFileSync(join(folder, "grafana/dashboards/flange.json"), "utf8"))
)

export const rules = strict(Rules)(yaml("rules.yaml")).groups.flatMap((group) => group.rules)

export const has = (file: string): boolean => existsSync(join(folder, file))
