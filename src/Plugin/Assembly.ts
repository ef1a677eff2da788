/** The assemble phase: from a list of plugins to their order and description, without acquiring anything. */
import * as Effect from "effect/Effect"
import type * as HttpApi from "effect/http-api/HttpApi"
import { nearest } from "../Config/Nearest.ts"
import { AppRuntime } from "./AppRuntime.ts"
import * as Contract from "./Contract.ts"
import type { Description } from "./Description.ts"
import { AssemblyError } from "./Errors.ts"
import * as Order from "./Order.ts"
import type * as Plugin from "./Plugin.ts"
import * as PluginCheck from "./PluginCheck.ts"

/** Keys of the services that the engine itself gives to every plugin. */
export const given: ReadonlySet<string> = new Set([AppRuntime.key])

/** Finds what is wrong with contributions that only the host understands. */
export type Check = (plugins: ReadonlyArray<Plugin.Any>) => ReadonlyArray<Order.Problem>

/** Checks and orders plugins. Pure; all problems in one error. */
export const assemble = (
  app: string,
  plugins: ReadonlyArray<Plugin.Any>,
  check: Check,
  api: HttpApi.Top = Contract.of(app, plugins)
): Effect.Effect<ReadonlyArray<Plugin.Any>, AssemblyError> =>
  Effect.suspend(() => {
    const { order, problems } = Order.solve(plugins, given)
    const all = [
      ...problems,
      ...undeclaredPoints(plugins),
      ...check(plugins),
      ...PluginCheck.problems({ api, plugins })
    ]
    return all.length > 0
      ? Effect.fail(new AssemblyError({ app, problems: all }))
      : Effect.succeed(order)
  })

/** The contributions that fill an extension point which no plugin declares. */
const undeclaredPoints = (plugins: ReadonlyArray<Plugin.Any>): ReadonlyArray<Order.Problem> => {
  const declared = new Map(
    plugins.flatMap(({ manifest }) => manifest.extensions.map(({ key, name }) => [key, name]))
  )
  return plugins.flatMap(({ id, manifest }) =>
    manifest.contributes
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

/** Describes plugins that stand in their final order. */
export const describe = (id: string, ordered: ReadonlyArray<Plugin.Any>): Description => ({
  id,
  plugins: ordered.map(({ id, manifest }) => ({
    actions: names(manifest.actions),
    config: manifest.config.map((section) => section.sectionName).toSorted(),
    contributes: manifest.contributes.map(({ kind, name }) => ({ kind, name })),
    extensions: names(manifest.extensions),
    healthChecks: Object.entries(manifest.health).map(([name, check]) => ({
      class: check.class,
      name
    })),
    id,
    middleware: names(manifest.middleware),
    migrations: manifest.migrations?.href,
    order: {
      after: targets(manifest.order.after),
      before: targets(manifest.order.before),
      first: manifest.order.first === true,
      last: manifest.order.last === true
    },
    provides: manifest.provides.map(({ key }) => key).toSorted(),
    requires: manifest.requires.map(({ key }) => key).toSorted(),
    routes: names(manifest.routes)
  }))
})

const names = (contributions: ReadonlyArray<{ readonly name: string }>) =>
  contributions.map(({ name }) => name)

const targets = (plugins: Plugin.Order["after"]) =>
  (plugins ?? []).map((target) => (typeof target === "string" ? target : target.id))
