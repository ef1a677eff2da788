/** The assemble phase: checks, orders and describes a list of plugins without acquiring anything. */
import * as Effect from "effect/Effect"
import type * as HttpApi from "effect/http-api/HttpApi"
import { nearest } from "../../Config/Nearest.ts"
import { publicPaths } from "../../Config/Public.ts"
import * as Contribution from "../Contribution.ts"
import type { AppDescription } from "../Description.ts"
import { AssemblyError, type AssemblyProblem } from "../Errors.ts"
import type { Host } from "../Host.ts"
import type * as Plugin from "../Plugin.ts"
import * as PluginCheck from "../PluginCheck.ts"
import * as Order from "./Order.ts"

/** Returns the plugins in their order. `api` is their contract. Fails with all problems in one error. */
export const assemble = (
  app: string,
  plugins: ReadonlyArray<Plugin.Any>,
  check: Host["check"],
  api: HttpApi.Top
): Effect.Effect<ReadonlyArray<Plugin.Any>, AssemblyError> =>
  Effect.suspend(() => {
    const { order, problems } = Order.solve(plugins)
    // The routes of a plugin that is in the list twice conflict only because it is there twice.
    const unique = [...new Map(plugins.toReversed().map((plugin) => [plugin.id, plugin])).values()]
    const all = [
      ...problems,
      ...undeclaredPoints(plugins),
      ...check(unique.toReversed()),
      ...PluginCheck.problems({ api, plugins })
    ]
    return all.length > 0
      ? Effect.fail(new AssemblyError({ app, problems: all }))
      : Effect.succeed(order)
  })

/** Returns a problem for each contribution to an extension point that no plugin declares. */
const undeclaredPoints = (plugins: ReadonlyArray<Plugin.Any>): ReadonlyArray<AssemblyProblem> => {
  const declared = new Map(
    plugins.flatMap(({ manifest }) => manifest.extensions.map(({ key, name }) => [key, name]))
  )
  return plugins.flatMap(({ id, manifest }) =>
    manifest.contributions
      .filter(({ kind, requires }) =>
        requires.some(({ key }) => key === kind && !declared.has(key))
      )
      .map(({ name }) => {
        const near = nearest(name, declared.values())
        return {
          kind: "UndeclaredExtension",
          message: `Plugin "${id}" fills extension point "${name}", which no plugin in the app declares.${
            near === undefined ? "" : ` Did you mean "${near}"?`
          } Add a plugin that lists it in \`extensions\`, or remove it from \`contributes\`.`,
          plugins: [id]
        }
      })
  )
}

/** Describes an app whose plugins are in their final order. */
export const describe = (id: string, ordered: ReadonlyArray<Plugin.Any>): AppDescription => ({
  id,
  plugins: ordered.map(({ id, manifest }) => ({
    config: manifest.config.map((section) => section.sectionName).toSorted(),
    contributions: manifest.contributions.map((contribution) => ({
      data: Contribution.isOpen(contribution) ? contribution.data : undefined,
      kind: contribution.kind,
      name: contribution.name,
      roles: contribution.roles
    })),
    extensions: manifest.extensions.map(({ name }) => name),
    id,
    migrations: manifest.migrations?.href,
    order: {
      after: targets(manifest.order.after),
      before: targets(manifest.order.before),
      first: manifest.order.first === true,
      last: manifest.order.last === true
    },
    provides: manifest.provides.map(({ key }) => key).toSorted(),
    publicKeys: manifest.config
      .flatMap(({ schema, sectionName }) =>
        publicPaths([schema.ast]).map((path) => [sectionName, ...path].join("."))
      )
      .toSorted(),
    requires: manifest.requires.map(({ key }) => key).toSorted()
  }))
})

const targets = (plugins: Plugin.Order["after"]) =>
  (plugins ?? []).map((target) => (typeof target === "string" ? target : target.id))
