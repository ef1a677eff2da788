// Plugins whose lists do not say what their parts use and provide.
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Config, HealthCheck, Plugin, Route } from "flange"

class Db extends Context.Service<Db, { readonly query: () => string }>()("app/Db") {}
class Repo extends Context.Service<Repo, { readonly read: () => string }>()("app/Repo") {}

const layer = Layer.succeed(Db, { query: () => "" })
const repo = Layer.effect(Repo, Effect.map(Db, ({ query }) => ({ read: query })))
const useDb = Effect.asVoid(Db)

export const unlisted = Plugin.make("p", { layer })
// ^ expect: The layer provides `app/Db`, which `provides` does not list: add it to `provides`

export const unlistedInPlace = Plugin.make("p", { layer: Layer.succeed(Db, { query: () => "" }) })
// ^ expect: The layer provides `app/Db`, which `provides` does not list: add it to `provides`

export const notProvided = Plugin.make("p", { layer, provides: [Db, Repo] })
// ^ expect: `provides` lists `app/Repo`, but the layer does not provide it

export const noLayer = Plugin.make("p", { provides: [Db] })
// ^ expect: `provides` lists `app/Db`, but the layer does not provide it

export const usedByLayer = Plugin.make("p", { layer: repo, provides: [Repo] })
// ^ expect: The plugin uses `app/Db`, which neither its layer nor its `config` provides: add it to `requires`

export const usedInPlace = Plugin.make("p", { layer: Layer.effectDiscard(useDb), requires: [Repo] })
// ^ expect: The plugin uses `app/Db`, which neither its layer nor its `config` provides: add it to `requires`

export const usedByDrain = Plugin.make("p", { drain: useDb })
// ^ expect: The plugin uses `app/Db`, which neither its layer nor its `config` provides: add it to `requires`

export const usedByReady = Plugin.make("p", { ready: () => useDb })
// ^ expect: The plugin uses `app/Db`, which neither its layer nor its `config` provides: add it to `requires`

export const usedByCheck = Plugin.make("p", { health: { db: HealthCheck.make(useDb) } })
// ^ expect: The plugin uses `app/Db`, which neither its layer nor its `config` provides: add it to `requires`

const Api = HttpApiGroup.make("items").add(
  HttpApiEndpoint.get("list", "/items", { success: Schema.String })
)
const items = Route.public(Api, (handlers) =>
  handlers.handleAll({ list: () => Effect.map(Db, ({ query }) => query()) })
)

export const usedByHandler = Plugin.make("p", { routes: [items] })
// ^ expect: The plugin uses `app/Db`, which neither its layer nor its `config` provides: add it to `requires`

const Mail = Config.section("mail", { host: Schema.String })

export const undeclaredSection = Plugin.make("p", { layer: Layer.effectDiscard(Mail) })
// ^ expect: The plugin reads the configuration section `mail`, which `config` does not list: add it to `config`

export const undeclaredSectionInReady = Plugin.make("p", { ready: () => Effect.asVoid(Mail) })
// ^ expect: The plugin reads the configuration section `mail`, which `config` does not list: add it to `config`

export const misspelled = Plugin.make("p", { layer, provids: [Db] })
// ^ expect: Did you mean to write 'provides'?

export const fromLayerUnlisted = Plugin.fromLayer("p", layer, {})
// ^ expect: The layer provides `app/Db`, which `provides` does not list: add it to `provides`

export const fromLayerUses = Plugin.fromLayer("p", repo, { provides: [Repo] })
// ^ expect: The plugin uses `app/Db`, which neither its layer nor its `config` provides: add it to `requires`
