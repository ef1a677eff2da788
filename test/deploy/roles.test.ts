// The deployments of docs/roles.md: against the schemas of Kubernetes and each other, and their variables in
// real processes.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { parse, parseAllDocuments } from "yaml"
import { root, whileServing } from "../examples/process.ts"
import { clusterOf, files, type Manifest, manifestsOf, schemaProblems } from "./k8s.ts"

const guide = readFileSync(join(root, "docs/roles.md"), "utf8")
const [compose, kubernetes] = [...guide.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
  ([, text]) => text!
)

interface Tree {
  readonly [key: string]: unknown
}

const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Returns a tree with the values of another; the first items of lists are merged, and `env` is appended. */
const merged = (base: Tree, over: Tree): Tree => {
  const found: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const old = found[key]
    if (isTree(value) && isTree(old)) found[key] = merged(old, value)
    else if (key === "env" && Array.isArray(old) && Array.isArray(value)) {
      found[key] = [...(old as ReadonlyArray<unknown>), ...(value as ReadonlyArray<unknown>)]
    } else if (Array.isArray(value) && Array.isArray(old) && isTree(value[0]) && isTree(old[0])) {
      found[key] = [merged(old[0], value[0])]
    } else found[key] = value
  }
  return found
}

const shipped = manifestsOf(files)
const { deployment, service } = clusterOf(shipped)

/** The deployments that result from the guide. */
const deployments = parseAllDocuments(kubernetes!).map((document) => {
  const over = document.toJS() as Tree
  const whole = merged(deployment as unknown as Tree, over) as unknown as Manifest
  return clusterOf([...shipped.filter(({ kind }) => kind !== "Deployment"), whole]).deployment
})

const roleOf = ({ spec }: (typeof deployments)[number]) =>
  spec!.template.spec!.containers[0]!.env!.find(({ name }) => name === "FLANGE_ROLE")!.value

describe("docs/roles.md", () => {
  it("has deployments that the schemas of Kubernetes accept, one for each role", () => {
    expect(schemaProblems(deployments as unknown as ReadonlyArray<Manifest>)).toEqual([])
    expect(deployments.map(roleOf).sort()).toEqual(["scheduler", "server", "worker"])
    expect(new Set(deployments.map(({ metadata }) => metadata!.name)).size).toBe(3)
  })

  it("has deployments of which the service selects the servers only", () => {
    const selected = deployments.filter(({ spec }) =>
      Object.entries(service.spec!.selector!).every(
        ([label, value]) => spec!.template.metadata!.labels![label] === value
      )
    )
    expect(selected.map(roleOf)).toEqual(["server"])
    for (const { spec } of deployments) {
      // Otherwise the controller of one deployment would count the pods of another.
      expect(spec!.selector.matchLabels).toEqual(spec!.template.metadata!.labels)
    }
  })

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
