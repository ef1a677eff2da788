/** The app as its boot assembles it. Nothing is configured or acquired. */
import * as Effect from "effect/Effect"
import * as Api from "../Plugin/Api.ts"
import type * as AppDefinition from "../Plugin/AppDefinition.ts"
import * as Assembly from "../Plugin/Boot/Assembly.ts"
import * as Host from "../Server/Host.ts"
import * as ConfiguredListener from "../Server/Listener/ConfiguredListener.ts"

/** Returns the contract and the plugins in their order. Fails if the plugins do not fit together. */
export const assemble = (app: AppDefinition.Any) => {
  const api = Api.make(app.id, app.plugins, app.errors)
  const { check } = Host.make(app.id, ConfiguredListener.listen)
  return Effect.map(Assembly.assemble(app.id, app.plugins, check, api), (plugins) => ({
    api,
    plugins
  }))
}
