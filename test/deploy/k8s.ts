/** The manifests of `deploy/k8s`: read, compared with the schemas of Kubernetes, and with each other. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Deployment, type IDeployment } from "kubernetes-models/apps/v1/Deployment"
import { type IIngress, Ingress } from "kubernetes-models/networking.k8s.io/v1/Ingress"
import { ConfigMap, type IConfigMap } from "kubernetes-models/v1/ConfigMap"
import { type IService, Service } from "kubernetes-models/v1/Service"
import { parseAllDocuments } from "yaml"
import { root } from "../examples/process.ts"
import { typeCheck } from "../types/harness/Harness.ts"
import type { Change } from "./nginx.ts"

const source = join(root, "deploy/k8s")

const isRole = (name: string): boolean => name.startsWith("roles/")

const read = (isTaken: (name: string) => boolean): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(source, { encoding: "utf8", recursive: true })
      .map((name) => name.replaceAll("\\", "/"))
      .filter((name) => name.endsWith(".yaml") && isTaken(name))
      .map((name) => [name, readFileSync(join(source, name), "utf8")])
  )

/** The files of an app with all roles in one deployment, as they are shipped. */
export const files = read((name) => !isRole(name))

/** The files of the other deployments of an app that divides its roles. */
export const roleFiles = read(isRole)

/** Returns the files with one line replaced. */
export const changed = ([line, instead]: Change): Readonly<Record<string, string>> => {
  const all = Object.entries(files)
  const count = all.reduce((sum, [, text]) => sum + text.split(line).length - 1, 0)
  if (count !== 1) throw new Error(`"${line}" stands ${count} times in deploy/k8s`)
  return Object.fromEntries(all.map(([name, text]) => [name, text.replace(line, () => instead)]))
}

/** Any object of Kubernetes. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
}

/** Reads the documents of all files. Throws for what is not YAML, such as a key that stands twice. */
export const manifestsOf = (texts: Readonly<Record<string, string>>): ReadonlyArray<Manifest> =>
  Object.values(texts).flatMap((text) => {
    const documents = parseAllDocuments(text)
    if (!Array.isArray(documents)) throw new Error("A file is empty")
    return documents.map((document) => {
      for (const problem of [...document.errors, ...document.warnings]) throw problem
      return document.toJS() as Manifest
    })
  })

/** The manifests by kind, for rules about several of them. */
export interface Cluster {
  readonly configMaps: ReadonlyArray<IConfigMap>
  readonly deployment: IDeployment
  readonly ingress: IIngress
  readonly service: IService
}

/** Sorts manifests by kind. The schemas have to accept them. */
export const clusterOf = (manifests: ReadonlyArray<Manifest>): Cluster => {
  const all = <A extends Manifest>(kind: A["kind"]) =>
    manifests.filter((manifest): manifest is A => manifest.kind === kind)
  const [deployment] = all<IDeployment>("Deployment")
  const [ingress] = all<IIngress>("Ingress")
  const [service] = all<IService>("Service")
  return {
    configMaps: all<IConfigMap>("ConfigMap"),
    deployment: deployment!,
    ingress: ingress!,
    service: service!
  }
}

/** Returns what the schemas of Kubernetes refuse. */
export const schemaProblems = (manifests: ReadonlyArray<Manifest>): ReadonlyArray<string> => [
  ...invalidValues(manifests),
  ...unknownFields(manifests)
]

const models = { ConfigMap, Deployment, Ingress, Service }

/** The validators refuse wrong and missing values, and let unknown fields pass. */
const invalidValues = (manifests: ReadonlyArray<Manifest>) =>
  manifests.flatMap((manifest) => {
    const Model = models[manifest.kind as keyof typeof models]
    try {
      // Its constructor is typed for valid manifests only.
      new Model(manifest as never).validate()
      return []
    } catch (error) {
      return [`${manifest.kind}: ${String(error)}`]
    }
  })

/** The types are made from the same schemas, and the compiler refuses unknown fields of literals. */
const unknownFields = (manifests: ReadonlyArray<Manifest>) => {
  const lines = manifests.map(
    (manifest, i) =>
      `export const _${i}: import("kubernetes-models/${manifest.apiVersion}").I${manifest.kind} = ${JSON.stringify(manifest)}`
  )
  mkdirSync(join(root, ".doctest"), { recursive: true })
  writeFileSync(join(root, ".doctest/manifests.ts"), `${lines.join("\n")}\n`)
  return typeCheck(
    { extends: "../tsconfig.json", files: ["./manifests.ts"], include: [] },
    "manifests"
  ).map(({ message }) => message)
}
