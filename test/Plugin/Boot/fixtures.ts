/** Plugins that differ only in the services and the order they ask for. */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Plugin from "../../../src/Plugin/Plugin.ts"

interface Service {
  readonly id: string
}

/** The key of the service that the plugin with this id provides. */
const service = (id: string) => Context.Service<Service, { readonly id: string }>(`service/${id}`)

/** The options of one such plugin. */
export interface Spec {
  readonly order?: Plugin.Order
  readonly provides?: ReadonlyArray<string>
  readonly requires?: ReadonlyArray<string>
}

/** A plugin that provides a service of its own name and requires those of others. */
export const plugin = (
  id: string,
  { order, provides = [id], requires = [] }: Spec = {}
): Plugin.Any => {
  const layers = provides.map((name) => Layer.succeed(service(name), { id: name }))
  return Plugin.make(id, {
    layer: layers.reduce<Layer.Layer<Service>>(
      (all, one) => Layer.merge(all, one),
      Layer.empty as Layer.Layer<never> as Layer.Layer<Service>
    ),
    order,
    provides: provides.map(service),
    requires: requires.map(service)
  })
}
