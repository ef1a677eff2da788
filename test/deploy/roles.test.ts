// The deployments of roles: those of deploy/k8s against the schemas of Kubernetes and each other, and the variables
// of docs/roles.md in real processes.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { root, whileServing } from "../examples/process.ts"
import { clusterOf, files, manifestsOf, roleFiles, schemaProblems } from "./k8s.ts"

const guide = readFileSync(join(root, "docs/roles.md"), "utf8")
const [, compose] = /^```yaml\n([\s\S]*?)^```$/m.exec(guide)!

const { deployment, service } = clusterOf(manifestsOf(files))

/** The deployments of a role other than `server`. */
const others = Object.entries(roleFiles).map(([name, text]) => ({
  deployment: clusterOf(manifestsOf({ [name]: text })).deployment,
  role: /^roles\/(.*)\.yaml$/.exec(name)![1]!
}))

const variableOf = ({ spec }: typeof deployment, variable: string) =>
  spec!.template.spec!.containers[0]!.env!.find(({ name }) => name === variable)!.value

describe("deploy/k8s/roles", () => {
  it("has what the schemas of Kubernetes accept", () => {
    expect(schemaProblems(manifestsOf(roleFiles))).toEqual([])
  })

  it("has a deployment for each role but that of the servers", () => {
    expect(others.map(({ role }) => role)).toEqual(["scheduler", "worker"])
    expect(variableOf(deployment, "FLANGE_ROLE")).toBe("all")
  })

  it("counts the replicas of all roles", () => {
    const all = [deployment, ...others.map((other) => other.deployment)]
    const sum = all.reduce((total, { spec }) => total + spec!.replicas!, 0)
    for (const other of others) {
      expect(variableOf(other.deployment, "FLANGE__APP__REPLICAS")).toBe(String(sum))
    }
  })

  it.each(others)("$role.yaml is deployment.yaml with its own name and role", (other) => {
    const name = `my-app-${other.role}`
    const expected = structuredClone(deployment) as unknown as {
      metadata: { labels: object; name: string }
      spec: {
        replicas: number
        selector: { matchLabels: object }
        template: {
          metadata: { labels: object }
          spec: {
            containers: [{ env: Array<{ name: string; value: string }> }]
            topologySpreadConstraints: [{ labelSelector: { matchLabels: object } }]
          }
        }
      }
    }
    const labels = { "app.kubernetes.io/name": name }
    const { metadata, spec } = expected
    Object.assign(metadata, { labels, name })
    spec.replicas = other.deployment.spec!.replicas!
    spec.selector.matchLabels = labels
    spec.template.metadata.labels = labels
    spec.template.spec.topologySpreadConstraints[0].labelSelector.matchLabels = labels
    for (const one of spec.template.spec.containers[0].env) {
      if (one.name === "FLANGE_ROLE") one.value = other.role
      if (one.name === "FLANGE__APP__REPLICAS") {
        one.value = variableOf(other.deployment, one.name)!
      }
    }
    expect(other.deployment).toEqual(expected)
  })

  it("has no deployment that the service selects", () => {
    const selector = service.spec!.selector!
    for (const { spec } of others.map((other) => other.deployment)) {
      expect(spec!.template.metadata!.labels).not.toMatchObject(selector)
    }
  })
})

describe("docs/roles.md", () => {
  const { services } = parse(compose!, { merge: true }) as {
    readonly services: Readonly<
      Record<
        string,
        { readonly environment: Readonly<Record<string, string>>; readonly ports?: unknown }
      >
    >
  }

  it("has a compose file that opens the port of the servers only", () => {
    expect(
      Object.keys(services)
        .filter((name) => services[name]!.ports !== undefined)
        .map((name) => services[name]!.environment["FLANGE_ROLE"])
    ).toEqual(["server"])
  })

  it.each(["scheduler", "server", "worker"])(
    "the service %s of the compose file answers its probe and the routes of its role",
    async (role) => {
      const { DATABASE_URL: _, HOST: __, ...environment } = services[role]!.environment
      expect(environment["FLANGE_ROLE"]).toBe(role)
      await whileServing("examples/sample-api/main.ts", environment, async (url) => {
        expect((await fetch(`${url}/livez`)).status).toBe(200)
        expect((await fetch(`${url}/openapi.json`)).status).toBe(role === "server" ? 200 : 404)
      })
    }
  )
})
