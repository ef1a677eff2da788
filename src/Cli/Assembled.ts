/** Whether the plugins of an app fit together. */
import type * as Effect from "effect/Effect"
import * as Api from "../Plugin/Api.ts"
import type * as AppDefinition from "../Plugin/AppDefinition.ts"
import * as Assembly from "../Plugin/Boot/Assembly.ts"
import type { AssemblyError } from "../Plugin/Errors.ts"
import type * as Plugin from "../Plugin/Plugin.ts"
import * as Host from "../Server/Host.ts"
import * as ConfiguredListener from "../Server/Listener/ConfiguredListener.ts"

/** Returns the plugins of an app in their order, or fails with all problems. Acquires nothing. */
export const assembled = (
  app: AppDefinition.Any
): Effect.Effect<ReadonlyArray<Plugin.Any>, AssemblyError> =>
  Assembly.assemble(
    app.id,
    app.plugins,
    Host.make(app.id, ConfiguredListener.listen).check,
    Api.make(app.id, app.plugins, app.errors)
  )
