// Handlers that do not fit their contract.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { ApiError, CurrentIdentity, Route } from "flange"

class NotFound extends ApiError.make<NotFound>()("NotFound", {
  code: "NOT_FOUND",
  detail: "No such item",
  status: 404
}) {}

const Api = HttpApiGroup.make("items").add(
  HttpApiEndpoint.get("list", "/items", { success: Schema.String }),
  HttpApiEndpoint.get("read", "/items/:id", {
    params: { id: Schema.String },
    success: Schema.Struct({ id: Schema.String })
  })
)

const list = () => Effect.succeed("")
const read = () => Effect.succeed({ id: "" })

export const missing = Route.public(Api, (handlers) => handlers.handleAll({ list }))
// ^ expect: `items.read` has no handler: add it to `handlers.handleAll`

export const extra = Route.public(Api, (handlers) => handlers.handleAll({ list, read, write: read }))
// ^ expect: `items` has no endpoint `write`: its endpoints are `list`, `read`

export const wrongSuccess = Route.public(Api, (handlers) =>
  handlers.handleAll({ list, read: () => Effect.succeed({ id: 1 }) })
  // ^ expect: The handler of `items.read` returns a value that does not fit its `success`: change `id`
)

export const undeclaredError = Route.public(Api, (handlers) =>
  handlers.handleAll({ list, read: () => Effect.fail(new NotFound()) })
  // ^ expect: `NotFound` is not among the errors of `items.read`: add it to `error`
)

const whoAmI = () => Effect.map(CurrentIdentity, ({ subject }) => subject)

export const identityInPublic = Route.public(Api, (handlers) =>
// ^ expect: Only protected routes know their caller, and `items` asks for it: use Route.protected instead
  handlers.handleAll({ list: whoAmI, read })
)

export const identityInBare = Route.bare(Api, (handlers) =>
// ^ expect: Only protected routes know their caller, and `items` asks for it: use Route.protected instead
  handlers.handleAll({ list: whoAmI, read })
)

export const identityOfRequest = Route.public(Api, (handlers) =>
  handlers.handleAll({ list: ({ identity }) => Effect.succeed(identity.subject), read })
  // ^ expect: Property 'identity' does not exist on type
)

export const identityOfOptional = Route.optional(Api, (handlers) =>
  handlers.handleAll({ list: ({ identity }) => Effect.succeed(identity.subject), read })
  // ^ expect: Property 'identity' does not exist on type
)

export class Anonymous extends ApiError.make()("Anonymous", {
  // ^ expect: Name the class itself: class NotFound extends ApiError.make<NotFound>()
  code: "ANONYMOUS",
  detail: "",
  status: 404
}) {}

export const status = ApiError.make<NotFound>()("Fine", { code: "FINE", detail: "", status: "404" })
// ^ expect: Type 'string' is not assignable to type 'number'
