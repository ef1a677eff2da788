// What the editor shows of programs that are right. Compiled by `npm run check`.
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import {
  Action,
  ApiError,
  App,
  type AssemblyError,
  Authentication,
  type BindError,
  type Catalogue,
  Client as FlangeClient,
  Config,
  Contribution,
  CurrentIdentity,
  Extension,
  type Identity,
  Plugin,
  Route,
  type StartTimeoutError
} from "flange"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Compiles only for `Same<A, B>`; an error shows both. */
const same = <A, B>(..._proof: Same<A, B> extends true ? [] : [A, B]): void => {}

class Db extends Context.Service<Db, { readonly query: () => string }>()("app/Db") {}
class Repo extends Context.Service<Repo, { readonly read: () => string }>()("app/Repo") {}
class DbDown extends Schema.TaggedClass<DbDown>()("DbDown", {}) {}

// A plugin's type says its id, what it provides, what it fails with, what it requires.
const db = Plugin.make("db", {
  layer: Layer.effect(Db, Effect.as(Effect.fail(new DbDown({})), { query: () => "" })),
  provides: [Db]
})
same<typeof db, Plugin.Plugin<"db", Db, DbDown>>()

const repo = Plugin.make("repo", {
  layer: Layer.effect(
    Repo,
    Effect.map(Db, ({ query }) => ({ read: query }))
  ),
  provides: [Repo],
  requires: [Db]
})
same<typeof repo, Plugin.Plugin<"repo", Repo, never, Db>>()

const swapped = Plugin.make("repo", {
  // In this order: it must not matter to what is inferred.
  requires: [Db],
  provides: [Repo],
  layer: Layer.effect(
    Repo,
    Effect.gen(function* () {
      const { query } = yield* Db
      return { read: query }
    })
  )
})
same<typeof swapped, typeof repo>()

// What a layer provides to itself is not required of others.
const whole = Plugin.make("whole", {
  layer: Layer.effect(
    Repo,
    Effect.map(Db, ({ query }) => ({ read: query }))
  ).pipe(Layer.provide(Layer.succeed(Db, { query: () => "" }))),
  provides: [Repo]
})
same<typeof whole, Plugin.Plugin<"whole", Repo>>()

same<Plugin.Requires<typeof repo>, Db>()
same<Plugin.Provides<typeof repo>, Repo>()
same<Plugin.Error<typeof db>, DbDown>()
same<Plugin.Id<typeof db>, "db">()

const wrapped = Plugin.fromLayer("db", Layer.succeed(Db, { query: () => "" }), { provides: [Db] })
same<typeof wrapped, Plugin.Plugin<"db", Db>>()

// A section is required of nobody once it is listed, and adds `ConfigError`.
const Mail = Config.section("mail", { host: Schema.String })
const mail = Plugin.make("mail", { config: [Mail], layer: Layer.effectDiscard(Mail) })
same<typeof mail, Plugin.Plugin<"mail", never, Config.ConfigError>>()

// An action stands in `Provides` under its name.
const Greet = Action.make("greet", { payload: Schema.String, success: Schema.Int })
const greet = Plugin.make("greet", {
  actions: [Action.implement(Greet, (name) => Effect.succeed(name.length))]
})
same<typeof greet, Plugin.Plugin<"greet", Action.Implementation<"greet">>>()
const contributed = Plugin.make("greet", {
  contributes: [Action.implement(Greet, (name) => Effect.succeed(name.length))]
})
same<typeof contributed, typeof greet>()
same<
  ReturnType<typeof Greet.call>,
  Effect.Effect<number, Action.ActionPayloadError, Action.Implementation<"greet">>
>()

// What a contribution is built with and fails with is the plugin's; a filled point is required.
const Job = Contribution.kind<string, () => string>()("job")
const jobs = Plugin.make("jobs", {
  contributes: [
    Job.make(
      "read",
      "daily",
      Effect.flatMap(Db, ({ query }) => Effect.as(Effect.fail(new DbDown({})), query))
    )
  ],
  requires: [Db]
})
same<typeof jobs, Plugin.Plugin<"jobs", never, DbDown, Db>>()

const Price = Extension.make<number, number | undefined, DbDown>()("price")
const shop = Plugin.make("shop", { extensions: [Price] })
same<typeof shop, Plugin.Plugin<"shop", Extension.Point<"price">>>()

const sale = Plugin.make("sale", {
  contributes: [Extension.fill(Price, (n) => Effect.as(Db, n))],
  requires: [Db]
})
same<typeof sale, Plugin.Plugin<"sale", never, never, Db | Extension.Point<"price">>>()
same<
  ReturnType<typeof Price.first>,
  Effect.Effect<number | undefined, DbDown, Extension.Point<"price">>
>()

class ItemNotFound extends ApiError.make<ItemNotFound>()(
  "ItemNotFound",
  { code: "ITEM_NOT_FOUND", detail: ({ id }) => `No item ${id}`, status: 404 },
  { id: Schema.String }
) {}

class Gone extends ApiError.make<Gone>()("Gone", { code: "GONE", detail: "Gone", status: 410 }) {}

class Hiding extends ApiError.make<Hiding>()(
  "Hiding",
  { code: "HIDING", detail: ({ query }) => query, internal: ["query"], status: 400 },
  { id: Schema.Int, query: Schema.String }
) {}
same<Hiding["id"], number>()
same<Hiding["query"], string | undefined>()
same<"query" extends keyof typeof Hiding.Encoded ? true : false, false>()

class Exposing extends ApiError.make<Exposing>()(
  "Exposing",
  { code: "EXPOSING", detail: ({ seconds }) => `${seconds} s`, expose: ["seconds"], status: 503 },
  { host: Schema.String, seconds: Schema.Int }
) {}
same<Exposing["host"], string | undefined>()
same<Exposing["seconds"], number>()
same<"host" extends keyof typeof Exposing.Encoded ? true : false, false>()

const Items = HttpApiGroup.make("items").add(
  HttpApiEndpoint.get("read", "/items/:id", {
    error: ItemNotFound,
    params: { id: Schema.String },
    success: Schema.Struct({ name: Schema.String })
  })
)
const Status = HttpApiGroup.make("status").add(HttpApiEndpoint.get("status", "/status"))

const items = Plugin.make("items", {
  requires: [Repo],
  routes: [
    Route.protected(
      Items,
      Effect.fn(function* (handlers) {
        const { read } = yield* Repo
        return handlers.handleAll({
          read: ({ identity, params }) =>
            Effect.gen(function* () {
              same<typeof identity, Identity>()
              same<typeof identity, typeof CurrentIdentity.Service>()
              const { subject } = yield* CurrentIdentity
              if (params.id === subject) return yield* Effect.fail(new ItemNotFound(params))
              if (params.id === "moved") return HttpServerResponse.redirect("/items")
              // An error of no contract is a reply too: it knows its own response.
              if (params.id === "gone") return new Gone()
              return { name: read() }
            })
        })
      })
    )
  ]
})
const status = Plugin.make("status", {
  routes: [Route.public(Status, (handlers) => handlers.handleAll({ status: () => Effect.void }))]
})

same<
  Plugin.Requires<typeof items>,
  Authentication.Authentication<Authentication.DefaultChain> | Repo
>()
same<Plugin.Requires<typeof status>, never>()

const auth = Plugin.make("auth", {
  layer: Layer.succeed(
    Authentication.Default,
    Authentication.Default.of((next) =>
      Effect.provideService(next, CurrentIdentity, {
        attributes: {},
        displayName: "",
        isPrivileged: false,
        isServiceAccount: false,
        method: "none",
        scopes: new Set<string>(),
        subject: ""
      })
    )
  ),
  provides: [Authentication.Default]
})

// The app: every service, every error of boot, and the groups of all plugins.
export const app = App.make("shop", [items, status, auth, repo, db])
same<keyof typeof app.api.groups, "items" | "status">()
same<
  App.BootError<typeof app>,
  AssemblyError | BindError | Config.ConfigError | DbDown | StartTimeoutError
>()

// The client: values come back decoded, errors as the classes that the contract names.
type Client = HttpApiClient.ForApi<typeof app.api>
const reads = (client: Client) => client.items.read({ params: { id: "1" } })
type Read = ReturnType<typeof reads>
same<Effect.Success<Read>, { readonly name: string }>()

type Standard =
  | Catalogue.InternalError
  | Catalogue.MalformedRequest
  | Catalogue.PayloadTooLarge
  | Catalogue.ServiceUnavailable
  | Catalogue.UnsupportedMediaType
  | Catalogue.ValidationFailed
same<
  Effect.Error<Read>,
  | Catalogue.Unauthenticated
  | HttpClientError.HttpClientError
  | ItemNotFound
  | Schema.SchemaError
  | Standard
>()
same<
  Effect.Error<ReturnType<Client["status"]["status"]>>,
  HttpClientError.HttpClientError | Schema.SchemaError | Standard
>()

// Flange's client: the same methods, which may also refuse a parameter of a path.
const flange = FlangeClient.make(app.api)
same<Effect.Success<typeof flange>, FlangeClient.ForApi<typeof app.api>>()
same<Effect.Services<typeof flange>, HttpClient.HttpClient>()
type Flange = Effect.Success<typeof flange>
const readsFlange = (client: Flange) => client.items.read({ params: { id: "1" } })
type ReadFlange = ReturnType<typeof readsFlange>
same<Effect.Success<ReadFlange>, { readonly name: string }>()
same<Effect.Error<ReadFlange>, Effect.Error<Read> | FlangeClient.InvalidParameter>()
same<Effect.Services<ReadFlange>, Effect.Services<Read>>()
same<
  Parameters<Flange["items"]["read"]>[0]["params"],
  Parameters<Client["items"]["read"]>[0]["params"]
>()
