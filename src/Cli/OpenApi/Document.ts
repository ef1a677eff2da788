/** The OpenAPI document of an app, made without acquiring a plugin. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Config from "../../Config/index.ts"
import * as AppDocument from "../../Layers/OpenApi/AppDocument.ts"
import * as DocumentCheck from "../../Layers/OpenApi/DocumentCheck.ts"
import { AppConfig } from "../../Plugin/AppConfig.ts"
import type * as AppDefinition from "../../Plugin/AppDefinition.ts"
import * as Assembly from "../../Plugin/Boot/Assembly.ts"
import * as Configure from "../../Plugin/Boot/Configure.ts"
import * as Contribution from "../../Plugin/Contribution.ts"
import * as Documented from "../../Plugin/Documented.ts"
import { AssemblyError } from "../../Plugin/Errors.ts"
import { ServerConfig } from "../../Server/ServerConfig.ts"
import { assemble } from "../Assembled.ts"
import * as CurrentApp from "../CurrentApp.ts"
import * as Output from "../Output.ts"

/**
 * Returns the document that the battery serves for an app; an app without the battery has one too.
 * Reads the sections of the configuration that the document depends on, and no other.
 */
export const of = Effect.fnUntraced(function* (app: AppDefinition.Any) {
  const { api, plugins } = yield* assemble(app)
  const problems = DocumentCheck.check({ api, plugins })
  if (problems.length > 0) return yield* new AssemblyError({ app: app.id, problems })
  const documented = plugins
    .flatMap(({ manifest }) => manifest.contributions)
    .filter(Contribution.isOpen)
    .filter(({ kind }) => kind === Documented.kind.name)
    // Contributions of a kind are made by the kind, which holds their types.
    .map((contribution) => contribution as ReturnType<typeof Documented.make>)
  const sections = [AppConfig, ServerConfig, ...documented.flatMap(({ data }) => data.config)]
  const { context } = yield* Config.load(
    Configure.options(plugins, [...new Set(sections)], CurrentApp.sourceOf(app), "keep")
  )
  // A change requires no service but the sections in its data.
  const services = context as Context.Context<unknown>
  const changes = yield* Effect.forEach(documented, ({ build }) =>
    Effect.provideContext(build(services), services)
  )
  const { name = app.id, version } = Context.getUnsafe(context, AppConfig)
  const { strictQuery } = Context.getUnsafe(context, ServerConfig)
  const description = Assembly.describe(app.id, plugins)
  return AppDocument.make({ api, changes, description, name, strictQuery, version })
}, Output.diverted)
