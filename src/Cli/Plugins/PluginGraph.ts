/** The graph of the plugins of an app: which plugin requires services of which. */
import * as Graph from "effect/Graph"
import type { AppDescription } from "../../Plugin/Description.ts"

/** One plugin. */
export interface Node {
  readonly id: string
  /** The name of the plugin, with its time if it was measured. */
  readonly label: string
  /** The plugins that it requires, each with the services by name. */
  readonly requires: ReadonlyMap<string, ReadonlyArray<string>>
}

/** The plugins in their order. */
export type PluginGraph = ReadonlyArray<Node>

/** Returns the graph of an app. `times` has the milliseconds in which plugins were acquired. */
export const of = (
  { plugins }: AppDescription,
  times: ReadonlyMap<string, number> = new Map()
): PluginGraph => {
  const providers = new Map(
    plugins.flatMap(({ id, provides }) => provides.map((service) => [service, id]))
  )
  return plugins.map(({ id, requires }) => {
    // A service without a provider is a problem of the assembly.
    const found = requires.filter((service) => (providers.get(service) ?? id) !== id)
    return {
      id,
      label: times.has(id) ? `${id} ${times.get(id)} ms` : id,
      requires: Map.groupBy(found, (service) => providers.get(service)!)
    }
  })
}

/** Returns the graph as a flowchart of Mermaid. */
export const toMermaid = (plugins: PluginGraph): string =>
  Graph.toMermaid(
    Graph.directed<string, string>((graph) => {
      const indices = new Map(plugins.map(({ id, label }) => [id, Graph.addNode(graph, label)]))
      for (const { id, requires } of plugins) {
        for (const [other, services] of requires) {
          Graph.addEdge(graph, indices.get(id)!, indices.get(other)!, services.join("\n"))
        }
      }
    }),
    { direction: "LR" }
  )

/**
 * Returns the graph as trees: each plugin above those that it requires. A plugin that was shown
 * before with its requirements stands alone.
 */
export const toText = (plugins: PluginGraph): string => {
  const byId = new Map(plugins.map((plugin) => [plugin.id, plugin]))
  const required = new Set(plugins.flatMap(({ requires }) => [...requires.keys()]))
  const shown = new Set<string>()
  const linesOf = (id: string, indent: string): ReadonlyArray<string> => {
    const { label, requires } = byId.get(id)!
    const below = shown.has(id) ? [] : [...requires.keys()]
    shown.add(id)
    return [indent + label, ...below.flatMap((other) => linesOf(other, `${indent}  `))]
  }
  const roots = plugins.filter(({ id }) => !required.has(id))
  const lines = roots.flatMap(({ id }) => linesOf(id, ""))
  // Plugins of a circle have no root.
  const rest = plugins.filter(({ id }) => !shown.has(id))
  return [...lines, ...rest.flatMap(({ id }) => (shown.has(id) ? [] : linesOf(id, "")))].join("\n")
}
