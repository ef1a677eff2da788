/**
 * The order of plugins: a stable topological sort by the services that they require and by
 * their option `order`. It finds every problem and does not stop at the first.
 */
import type * as Context from "effect/Context"
import { nearest } from "../../Config/Nearest.ts"
import { AppRuntime } from "../AppRuntime.ts"
import type { AssemblyProblem } from "../Errors.ts"
import type * as Plugin from "../Plugin.ts"

/** The plugins in order, or the problems that leave them without one. One list is empty. */
export interface Solution {
  readonly order: ReadonlyArray<Plugin.Any>
  readonly problems: ReadonlyArray<AssemblyProblem>
}

interface Edge {
  /** The id of the earlier plugin. */
  readonly from: string
  /** Whether it comes from `order` and not from a requirement. */
  readonly soft: boolean
  /** The id of the later plugin. */
  readonly to: string
  /** The reason, for messages. */
  readonly why: string
}

/**
 * Orders plugins. Two plugins that neither a requirement nor `order` relates keep the order
 * of the list.
 */
export const solve = (plugins: ReadonlyArray<Plugin.Any>): Solution => {
  const problems: Array<AssemblyProblem> = []
  const byId = new Map<string, Plugin.Any>()
  for (const plugin of plugins) {
    if (byId.has(plugin.id)) {
      const times = plugins.filter(({ id }) => id === plugin.id).length
      if (!problems.some((problem) => problem.plugins[0] === plugin.id)) {
        problems.push({
          kind: "DuplicateId",
          message: `Plugin "${plugin.id}" is in the list ${times} times. Ids are unique: remove it or give it another id.`,
          plugins: [plugin.id]
        })
      }
    } else {
      byId.set(plugin.id, plugin)
    }
  }
  const unique = [...byId.values()]
  const providers = new Map<string, string>()
  for (const { id, manifest } of unique) {
    for (const { key } of manifest.provides) {
      const other = providers.get(key)
      if (other === undefined) providers.set(key, id)
      else if (other !== id) {
        problems.push({
          kind: "DuplicateService",
          message: `Service "${key}" is provided by "${other}" and by "${id}". Keep one of the two plugins.`,
          plugins: [other, id]
        })
      }
    }
  }
  // A plugin whose id is taken still has its services once it has another id.
  const provided = new Set(
    plugins.flatMap(({ manifest }) => manifest.provides.map(({ key }) => key))
  )
  const edges: Array<Edge> = []
  for (const { id, manifest } of unique) {
    for (const { key } of manifest.requires) {
      const provider = providers.get(key)
      if (provider === undefined) {
        if (key !== AppRuntime.key && !provided.has(key)) {
          problems.push({
            kind: "MissingService",
            message: `Plugin "${id}" requires service "${key}", which no plugin provides. Add a plugin that lists it in \`provides\`.`,
            plugins: [id]
          })
        }
      } else if (provider !== id) {
        edges.push({
          from: provider,
          soft: false,
          to: id,
          why: `"${id}" requires ${key} from "${provider}"`
        })
      }
    }
    const targets = (relation: "after" | "before") =>
      (manifest.order[relation] ?? []).flatMap((target) => {
        const name = typeof target === "string" ? target : target.id
        if (byId.has(name)) return [name]
        const near = nearest(name, byId.keys())
        problems.push({
          kind: "UnknownTarget",
          message: `Plugin "${id}" asks to come ${relation} "${name}", which is not in the app.${
            near === undefined ? "" : ` Did you mean "${near}"?`
          } Add that plugin or remove it from \`order.${relation}\`.`,
          plugins: [id]
        })
        return []
      })
    for (const target of targets("after")) {
      edges.push({
        from: target,
        soft: true,
        to: id,
        why: `"${id}" asks to come after "${target}"`
      })
    }
    for (const target of targets("before")) {
      edges.push({
        from: id,
        soft: true,
        to: target,
        why: `"${id}" asks to come before "${target}"`
      })
    }
    if (manifest.order.first === true && manifest.order.last === true) {
      problems.push({
        kind: "Contradiction",
        message: `Plugin "${id}" asks to come first and last. Keep one of the two.`,
        plugins: [id]
      })
      continue
    }
    for (const other of unique) {
      if (manifest.order.first === true && other.manifest.order.first !== true) {
        edges.push({ from: id, soft: true, to: other.id, why: `"${id}" asks to come first` })
      }
      if (manifest.order.last === true && other.manifest.order.last !== true) {
        edges.push({ from: other.id, soft: true, to: id, why: `"${id}" asks to come last` })
      }
    }
  }
  const { cycles, order } = sort(
    unique.map(({ id }) => id),
    edges
  )
  problems.push(...cycles.map(describeCycle))
  return problems.length > 0
    ? { order: [], problems }
    : { order: order.map((id) => byId.get(id)!), problems: [] }
}

/** Returns the problem of a cycle: a contradiction if `order` takes part in it. */
const describeCycle = (cycle: ReadonlyArray<Edge>): AssemblyProblem => {
  const path = [...cycle.map(({ from }) => from), cycle[0]!.from].join(" -> ")
  const because = cycle.map(({ why }) => why).join("; ")
  return cycle.some(({ soft }) => soft)
    ? {
        kind: "Contradiction",
        message: `No order satisfies these plugins: ${path} (${because}). Remove one of the demands in \`order\`.`,
        plugins: cycle.map(({ from }) => from)
      }
    : {
        kind: "Cycle",
        message: `Plugins require each other in a circle: ${path} (${because}). Move the shared service into a plugin of its own.`,
        plugins: cycle.map(({ from }) => from)
      }
}

/** Sorts by Kahn's algorithm. Takes the first free id of the list; ids that remain are on cycles. */
const sort = (
  ids: ReadonlyArray<string>,
  edges: ReadonlyArray<Edge>
): {
  readonly cycles: ReadonlyArray<ReadonlyArray<Edge>>
  readonly order: ReadonlyArray<string>
} => {
  const remaining = new Set(ids)
  const order: Array<string> = []
  const blocked = (id: string) => edges.some(({ from, to }) => to === id && remaining.has(from))
  for (;;) {
    const next = ids.find((id) => remaining.has(id) && !blocked(id))
    if (next === undefined) break
    remaining.delete(next)
    order.push(next)
  }
  const cycles: Array<ReadonlyArray<Edge>> = []
  while (remaining.size > 0) {
    const cycle = findCycle(remaining, edges)
    if (cycle === undefined) break
    cycles.push(cycle)
    for (const { from } of cycle) remaining.delete(from)
  }
  return { cycles, order }
}

/** Returns the shortest cycle through the first node that is on one. Prefers requirements. */
const findCycle = (
  nodes: ReadonlySet<string>,
  edges: ReadonlyArray<Edge>
): ReadonlyArray<Edge> | undefined => {
  const usable = edges
    .filter(({ from, to }) => nodes.has(from) && nodes.has(to))
    .sort((a, b) => Number(a.soft) - Number(b.soft))
  for (const start of nodes) {
    const queue: Array<ReadonlyArray<Edge>> = usable
      .filter(({ from }) => from === start)
      .map((e) => [e])
    const seen = new Set<string>()
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      const end = path[path.length - 1]!.to
      if (end === start) return path
      if (seen.has(end)) continue
      seen.add(end)
      queue.push(...usable.filter(({ from }) => from === end).map((edge) => [...path, edge]))
    }
  }
  return undefined
}

/** Returns the plugins that provide services, and those that they require, in their order. */
export const providing = (
  plugins: ReadonlyArray<Plugin.Any>,
  requires: ReadonlyArray<Context.Key<unknown, unknown>>
): ReadonlyArray<Plugin.Any> => {
  const wanted = new Set(requires.map(({ key }) => key))
  // Every plugin comes after those that it requires.
  return plugins
    .toReversed()
    .filter(({ manifest }) => {
      const isWanted = manifest.provides.some(({ key }) => wanted.has(key))
      if (isWanted) for (const { key } of manifest.requires) wanted.add(key)
      return isWanted
    })
    .toReversed()
}
