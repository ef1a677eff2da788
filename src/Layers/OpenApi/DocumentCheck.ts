/** Finds what keeps the contracts of an app from being one OpenAPI document. */
import * as Thrown from "../../Config/Thrown.ts"
import type { AssemblyProblem } from "../../Plugin/Errors.ts"
import type * as PluginCheck from "../../Plugin/PluginCheck.ts"
import * as Document from "./Document.ts"

/** Returns the problems of the document that the plugins' contracts make. */
export const check: PluginCheck.Check = ({ api, plugins }) => {
  const owners = new Map<string, string>()
  const problems: Array<AssemblyProblem> = []
  for (const { id, manifest } of plugins) {
    for (const { name } of manifest.contributions.filter(hasGroup)) owners.set(name, id)
  }
  try {
    const document = Document.fromApi(api)
    // What the app changes in the whole document may fail as well.
    document.finish({ last: new Set(), name: "", strictQuery: false, version: "" })
    problems.push(...conflicts(document.entries, owners))
  } catch (error) {
    const culprit = Document.culprit(api)
    const owner = culprit && owners.get(culprit.group)
    const at =
      culprit === undefined
        ? ""
        : ` with "${culprit.endpoint}" of group "${culprit.group}" (plugin "${owner}")`
    problems.push(
      problem(
        `The OpenAPI document of the app cannot be made${at}: ${Thrown.messageOf(error)}. Correct the contract, or leave the endpoint out with the annotation OpenApi.Exclude.`,
        owner === undefined ? [] : [owner]
      )
    )
  }
  return problems
}

const hasGroup = (route: object): boolean => "group" in route && route.group !== undefined

const problem = (message: string, plugins: ReadonlyArray<string>): AssemblyProblem => ({
  kind: "InvalidDocument",
  message,
  plugins
})

/** Returns the pairs of endpoints that one document cannot have. */
const conflicts = (
  entries: ReadonlyArray<Document.Entry>,
  owners: ReadonlyMap<string, string>
): ReadonlyArray<AssemblyProblem> => {
  const problems: Array<AssemblyProblem> = []
  const pluginOf = ({ group }: Document.Entry) => owners.get(group) ?? ""
  const named = (entry: Document.Entry) =>
    `${entry.method} ${entry.path} ("${entry.endpoint}" of group "${entry.group}", plugin "${pluginOf(entry)}")`
  const report = (entry: Document.Entry, other: Document.Entry, why: string) =>
    problems.push(
      problem(`${named(entry)} ${why.replace("{}", named(other))}`, [
        pluginOf(other),
        pluginOf(entry)
      ])
    )
  const ids = new Map<string, Document.Entry>()
  const shapes = new Map<string, { readonly entry: Document.Entry; readonly text: string }>()
  const operations = new Map<string, Document.Entry>()
  for (const entry of entries) {
    const { method, operationId, templates } = entry
    const sameId = operationId === undefined ? undefined : ids.get(operationId)
    if (sameId !== undefined) {
      report(
        entry,
        sameId,
        `has the operation id "${operationId}" of {}. Give one of them another OpenApi.Identifier.`
      )
    } else if (operationId !== undefined) ids.set(operationId, entry)
    for (const { shape, text } of templates) {
      const operation = `${method} ${shape}`
      const sameShape = shapes.get(shape)
      const sameOperation = operations.get(operation)
      if (sameOperation !== undefined) {
        report(
          entry,
          sameOperation,
          `is the same operation as {} in OpenAPI, which knows neither patterns nor wildcards in paths. Change one of the paths, or leave one endpoint out of the document with the annotation OpenApi.Exclude.`
        )
      } else if (sameShape !== undefined && sameShape.text !== text) {
        report(
          entry,
          sameShape.entry,
          `has the path of {} with another name for a parameter, which OpenAPI forbids. Use the same name in both.`
        )
      }
      operations.set(operation, entry)
      if (sameShape === undefined) shapes.set(shape, { entry, text })
    }
  }
  return problems
}
