// The manifests of deploy/k8s against the schemas of Kubernetes, the defaults of the configuration,
// each other, and deploy/nginx, which runs in front of real services.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Config } from "flange"
import { HealthConfig } from "flange/Health"
import { describe, expect, it } from "vitest"
import { AppConfig } from "../../src/Plugin/AppConfig.ts"
import { ServerConfig } from "../../src/Server/ServerConfig.ts"
import { root } from "../examples/process.ts"
import { changed, clusterOf, files, manifestsOf, schemaProblems } from "./k8s.ts"
import { amount, type Change, directive, files as nginx } from "./nginx.ts"

/** What the configuration of `deploy/nginx` has for the same purpose. */
const twins: ReadonlyArray<readonly [name: string, directive: string, file: string]> = [
  ["client-body-timeout", "client_body_timeout", "nginx.conf"],
  ["client-header-timeout", "client_header_timeout", "nginx.conf"],
  ["large-client-header-buffers", "large_client_header_buffers", "nginx.conf"],
  ["proxy-body-size", "client_max_body_size", "nginx.conf"],
  ["proxy-buffering", "proxy_buffering", "proxy.conf"],
  ["proxy-connect-timeout", "proxy_connect_timeout", "proxy.conf"],
  ["proxy-http-version", "proxy_http_version", "proxy.conf"],
  ["proxy-next-upstream", "proxy_next_upstream", "proxy.conf"],
  ["proxy-next-upstream-tries", "proxy_next_upstream_tries", "proxy.conf"],
  ["proxy-read-timeout", "proxy_read_timeout", "proxy.conf"],
  ["proxy-request-buffering", "proxy_request_buffering", "proxy.conf"],
  ["proxy-send-timeout", "proxy_send_timeout", "proxy.conf"],
  ["upstream-keepalive-timeout", "keepalive_timeout", "upstream.conf"]
]

const prefix = "nginx.ingress.kubernetes.io/"

/** Returns the rules that manifests break. */
const brokenRules = async (
  texts: Readonly<Record<string, string>>
): Promise<ReadonlyArray<string>> => {
  const manifests = manifestsOf(texts)
  const { configMaps, deployment, ingress, service } = clusterOf(manifests)
  const pod = deployment.spec!.template.spec!
  const [container] = pod.containers
  const { env, envFrom, livenessProbe, ports, readinessProbe, startupProbe } = container!
  const variables = Object.fromEntries(env!.map(({ name, value }) => [name, value!]))
  const { config, warnings } = await Effect.runPromise(
    Effect.gen(function* () {
      const loaded = yield* Config.load({
        sections: [AppConfig, HealthConfig, ServerConfig],
        variables
      })
      const sections = Effect.all({ app: AppConfig, health: HealthConfig, server: ServerConfig })
      return {
        config: yield* Effect.provide(sections, loaded.context),
        warnings: loaded.warnings
      }
    }).pipe(Effect.provide(NodeServices.layer))
  )
  const { app, health, server } = config
  const seconds = Duration.toSeconds
  const settings = new Map([
    ...Object.entries(ingress.metadata!.annotations!).map(
      ([name, value]) => [name.replace(prefix, ""), value] as const
    ),
    ...configMaps.flatMap(({ data }) => Object.entries(data!))
  ])
  const number = (name: string) => Number(settings.get(name))
  const [rule] = ingress.spec!.rules!
  const { backend } = rule!.http!.paths[0]!
  const labels = deployment.spec!.template.metadata!.labels
  const secrets = envFrom!.map(({ secretRef }) => secretRef!.name)

  const rules: Readonly<Record<string, boolean>> = {
    "a new instance is ready before an old one stops":
      deployment.spec!.strategy!.rollingUpdate!.maxUnavailable === 0 &&
      deployment.spec!.replicas! > 1,
    "app.replicas is the number of instances": app.replicas === deployment.spec!.replicas,
    "every variable is a key of the configuration": warnings.length === 0,
    "liveness and start ask the path of liveness, readiness that of readiness":
      livenessProbe!.httpGet!.path === health.livezPath &&
      startupProbe!.httpGet!.path === health.livezPath &&
      readinessProbe!.httpGet!.path === health.readyzPath,
    "probes, service and ingress name the port of the container":
      [livenessProbe, readinessProbe, startupProbe].every(
        (probe) => probe!.httpGet!.port === ports![0]!.name
      ) &&
      service.spec!.ports![0]!.targetPort === ports![0]!.name &&
      backend.service!.port!.name === service.spec!.ports![0]!.name,
    "readiness notices the drain within its delay":
      readinessProbe!.failureThreshold! * readinessProbe!.periodSeconds! +
        readinessProbe!.timeoutSeconds! <
      seconds(app.drainDelay),
    "the container listens where the service does": ports![0]!.containerPort === server.port,
    "the grace period is above the drain budget":
      pod.terminationGracePeriodSeconds! >
      seconds(app.drainDelay) + seconds(app.drainTimeout) + seconds(app.releaseTimeout),
    "the ingress closes idle connections before the service does":
      number("upstream-keepalive-timeout") < seconds(server.keepAlive),
    "the ingress ends a stalled body before the service does":
      number("proxy-send-timeout") < seconds(server.bodyTimeout),
    "the ingress has a certificate for its host":
      ingress.spec!.tls![0]!.hosts![0] === rule!.host && settings.get("ssl-redirect") === "true",
    "the ingress refuses the bodies that the service refuses":
      amount(settings.get("proxy-body-size")!) === server.bodyLimit,
    "the manifests have one name":
      new Set([
        backend.service!.name,
        container!.name,
        deployment.metadata!.name,
        ingress.metadata!.name,
        service.metadata!.name,
        ...secrets,
        ...[
          deployment.metadata!.labels,
          deployment.spec!.selector.matchLabels,
          ingress.metadata!.labels,
          labels,
          service.metadata!.labels,
          service.spec!.selector
        ].map((each) => each!["app.kubernetes.io/name"])
      ]).size === 1,
    "the pod runs without root and without a file that it can change":
      pod.securityContext!.runAsNonRoot === true &&
      container!.securityContext!.readOnlyRootFilesystem === true &&
      container!.securityContext!.allowPrivilegeEscalation === false,
    "the start has time for each phase of a plugin":
      startupProbe!.failureThreshold! * startupProbe!.periodSeconds! >
      3 * seconds(app.startTimeout),
    ...Object.fromEntries(
      twins.map(([name, twin, file]) => [
        `${name} is that of deploy/nginx`,
        settings.get(name) ===
          directive(twin, file)
            .join(" ")
            .replace(/^(\d+)s$/, "$1")
      ])
    )
  }
  return Object.keys(rules).filter((name) => !rules[name])
}

describe("deploy/k8s", () => {
  it("is what the schemas of Kubernetes accept, without unknown fields", () => {
    expect(schemaProblems(manifestsOf(files))).toEqual([])
  })

  it.each<[...Change, problem: RegExp]>([
    ["failureThreshold: 60", "failureTreshold: 60", /failureTreshold"' does not exist/],
    ["maxSurge: 1", "maxSurge: []", /maxSurge/],
    ["memory: 512Mi # as", "memory: half # as", /memory/],
    ["pathType: Prefix", "pathKind: Prefix", /pathType/],
    ["type: ClusterIP", "kind: ClusterIP", /"kind"' does not exist/]
  ])("with %s in place of %s is refused by them", (line, instead, problem) => {
    const problems = schemaProblems(manifestsOf(changed([line, instead])))
    expect(problems.join("\n")).toMatch(problem)
  })

  it("fits the defaults of the configuration, itself, and deploy/nginx", async () => {
    expect(await brokenRules(files)).toEqual([])
  })

  it.each<[...Change, rule: string]>([
    ["maxUnavailable: 0", "maxUnavailable: 1", "a new instance is ready before an old one stops"],
    ["APP__DRAIN_DELAY", "APP__DRAINDELAI", "every variable is a key of the configuration"],
    ["value: 10s", "value: 15s", "the grace period is above the drain budget"],
    ["value: 10s", "value: 7s", "readiness notices the drain within its delay"],
    ["containerPort: 8080", "containerPort: 3000", "the container listens where the service does"],
    [
      "terminationGracePeriodSeconds: 45",
      "terminationGracePeriodSeconds: 30",
      "the grace period is above the drain budget"
    ],
    [
      "path: /readyz",
      "path: /livez",
      "liveness and start ask the path of liveness, readiness that of readiness"
    ],
    [
      "targetPort: http",
      "targetPort: web",
      "probes, service and ingress name the port of the container"
    ],
    ["periodSeconds: 2 #", "periodSeconds: 1 #", "the start has time for each phase of a plugin"],
    [
      "readOnlyRootFilesystem: true",
      "readOnlyRootFilesystem: false",
      "the pod runs without root and without a file that it can change"
    ],
    ["- my-app.example.com", "- www.example.com", "the ingress has a certificate for its host"],
    ["name: my-app\n  type", "name: other\n  type", "the manifests have one name"],
    [
      "proxy-body-size: 8m",
      "proxy-body-size: 10m",
      "the ingress refuses the bodies that the service refuses"
    ],
    [
      'proxy-send-timeout: "30"',
      'proxy-send-timeout: "60"',
      "the ingress ends a stalled body before the service does"
    ],
    [
      'upstream-keepalive-timeout: "60"',
      'upstream-keepalive-timeout: "75"',
      "the ingress closes idle connections before the service does"
    ],
    ["proxy-buffering", "proxy-bufering", "proxy-buffering is that of deploy/nginx"],
    [
      'proxy-http-version: "1.1"',
      'proxy-http-version: "1.0"',
      "proxy-http-version is that of deploy/nginx"
    ]
  ])("with %s replaced by %s breaks a rule", async (line, instead, rule) => {
    expect(await brokenRules(changed([line, instead]))).toContain(rule)
  })
})

describe("the comments of deploy", () => {
  const defaults: Readonly<Record<string, object>> = {
    app: Schema.decodeUnknownSync(Schema.toCodecJson(AppConfig.schema))({}),
    server: Schema.decodeUnknownSync(Schema.toCodecJson(ServerConfig.schema))({})
  }

  /** Returns the values of keys that a text quotes wrongly, such as `server.bodyLimit (8 MiB)`. */
  const misquoted = (text: string) =>
    [...text.matchAll(/\b(app|server)\.(\w+) \(([\d.]+) (KiB|MiB|s)\)/g)]
      .filter(([, section, key, digits, unit]) => {
        const value = Reflect.get(defaults[section!]!, key!) as Duration.Duration | number
        const sizes = { KiB: 1024, MiB: 1024 * 1024, s: 1 }
        const quoted = Number(digits) * sizes[unit as keyof typeof sizes]
        return (typeof value === "number" ? value : Duration.toSeconds(value)) !== quoted
      })
      .map(([quote]) => quote)

  const texts = {
    ...files,
    ...nginx,
    Dockerfile: readFileSync(join(root, "deploy/Dockerfile"), "utf8")
  }

  it.each(Object.keys(texts))("of %s quote the defaults as they are", (name) => {
    expect(misquoted(texts[name as keyof typeof texts])).toEqual([])
  })

  it("are read for it", () => {
    expect(misquoted("# below server.keepAlive (60 s), as server.bodyLimit (8 MiB)")).toEqual([
      "server.keepAlive (60 s)"
    ])
    const quotes = Object.values(texts)
      .join()
      .match(/\b(app|server)\.\w+ \(/g)
    expect(quotes!.length).toBeGreaterThan(8)
  })
})
