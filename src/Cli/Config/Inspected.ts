/** The configuration of an app, read without acquiring the app. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import { inspect, type Inspection } from "../../Config/Load.ts"
import { type Key, keysOfSection } from "../../Config/Report/Keys.ts"
import type * as AppDefinition from "../../Plugin/AppDefinition.ts"
import * as Configure from "../../Plugin/Boot/Configure.ts"
import * as Order from "../../Plugin/Boot/Order.ts"
import { ServerConfig } from "../../Server/ServerConfig.ts"
import * as CurrentApp from "../CurrentApp.ts"

/** The configuration of an app, and every key that its sections declare. */
export interface Inspected extends Inspection {
  readonly keys: ReadonlyArray<Key>
}

/** Reads the configuration of all sections of an app. */
export const of = (
  app: AppDefinition.Any
): Effect.Effect<Inspected, never, FileSystem.FileSystem | Path.Path> => {
  const { order, problems } = Order.solve(app.plugins)
  const plugins = problems.length > 0 ? app.plugins : order
  const sections = Configure.sectionsOf(plugins, { config: [ServerConfig] })
  const options = Configure.options(plugins, sections, CurrentApp.sourceOf(app), "keep")
  return Effect.map(inspect(options), (inspection) => ({
    ...inspection,
    keys: inspection.compiled.flatMap(keysOfSection).sort((a, b) => (a.key < b.key ? -1 : 1))
  }))
}
