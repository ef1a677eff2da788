// Handlers about which the compiler speaks in its own words.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { ApiError, App, Plugin, Preset, Route } from "flange"

const Api = HttpApiGroup.make("items").add(
  HttpApiEndpoint.get("list", "/items", { success: Schema.String }),
  HttpApiEndpoint.get("read", "/items/:id", { success: Schema.String })
)
const list = () => Effect.succeed("")

export const effect = Route.public(Api, (handlers) => handlers.handleAll({ list }).handle("read", Effect.succeed("")))
// ^ expect: provides no match for the signature

// An error without parentheses: what uses it is blamed too, but not the app.
class Gone extends ApiError.make<Gone>("Gone", { code: "GONE", detail: "", status: 410 }) {}
// ^ expect: Write empty parentheses before the arguments: class NotFound extends ApiError.make<NotFound>()(...)
// ^ expect: 'Make<Gone>' is not a constructor function type

const GoneApi = HttpApiGroup.make("gone").add(
  HttpApiEndpoint.get("gone", "/gone", { error: Gone, success: Schema.String })
  // ^ expect: 'typeof Gone' is not assignable
)
const GonePlugin = Plugin.make("app:gone", {
// ^ expect: The plugin uses a service whose type is unknown
  routes: [Route.public(GoneApi, (handlers) => handlers.handleAll({ gone: list }))]
})
export const app = App.make("gone", [...Preset.api, GonePlugin])
