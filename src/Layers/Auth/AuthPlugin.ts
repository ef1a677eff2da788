/** The authentication plugin. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Headers from "effect/http/Headers"
import * as UrlParams from "effect/http/UrlParams"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Config from "../../Config/index.ts"
import * as Authentication from "../../Contract/Authentication.ts"
import * as Documented from "../../Plugin/Documented.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as ContractMiddleware from "../../Server/Route/ContractMiddleware.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import { admit, type Admitting } from "./Admission.ts"
import * as Chain from "./Chain.ts"
import * as CrossSite from "./CrossSite.ts"
import { CrossSiteConfig } from "./CrossSiteConfig.ts"
import * as Guessing from "./Guessing.ts"
import { GuessingConfig } from "./GuessingConfig.ts"
import * as OpenApiSecurity from "./OpenApiSecurity.ts"

/** The services that a chain provides to the routes that name it. */
export type Provides<Name extends string, C> =
  C extends Chain.Chain<infer _E, infer _R, infer M>
    ?
        | ([M] extends ["anonymous"] ? Authentication.OptionalAuthentication<Name> : never)
        | Authentication.Authentication<Name>
    : never

type ErrorOf<C> = C extends Chain.Chain<infer E, infer _R> ? E : never

type RequiresOf<C> = C extends Chain.Chain<infer _E, infer R> ? R : never

type AnyKey = Context.Key<any, any>

type Identifiers<Keys extends ReadonlyArray<AnyKey>> = Context.Service.Identifier<Keys[number]>

type SectionNames<S> = S extends Config.Section<infer Name, infer _A> ? Name : never

/** `unknown` if the lists name all that the backends use; otherwise the compiler's message. */
type Undeclared<Uses, Listed, Lacking = Exclude<Uses, Listed | Scope.Scope>> = [Lacking] extends [
  never
]
  ? unknown
  : [SectionNames<Lacking>] extends [never]
    ? {
        readonly requires: [Plugin.NameOf<Lacking>] extends [never]
          ? {
              readonly advice: "A backend uses this service: add it to `requires`"
              readonly service: Lacking
            }
          : `A backend uses ${Plugin.NameOf<Lacking>}: add it to \`requires\``
      }
    : {
        readonly config: `A backend reads the configuration section ${SectionNames<Lacking>}: add it to \`config\``
      }

/** The services that the plugin of these chains provides. */
export type ProvidesAll<Default, Named> =
  | Provides<"default", Default>
  | { [Name in keyof Named & string]: Provides<Name, Named[Name]> }[keyof Named & string]

/**
 * Authentication for an app: the chain that `Route.protected` and
 * `Route.optional` use, and chains by name for `protectedWith` and `optionalWith`.
 * A route that names a chain which no plugin defines does not compile.
 *
 * `requires` lists the services that backends use, `config` the configuration
 * sections. Backends are made in the acquire phase; their errors are in
 * the type. Callers are authenticated in the slot `Authentication`, so that
 * limits and transactions behind it know them; the reply to a caller that is not
 * let in is 401 with `WWW-Authenticate`, or 503 if a backend cannot check the credentials. An address
 * that sends too many wrong credentials (section `guessing`) is answered with 429 before
 * more of them are checked. A request that a page of another origin starts with a cookie or Basic
 * credentials is refused with 403 (section `crossSite`, and `acceptsCrossSite` of `Auth.chain`).
 *
 * @example
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import { App } from "flange"
 * import * as Auth from "flange/Auth"
 *
 * const AuthPlugin = Auth.plugin({
 *   chains: {
 *     partner: Auth.chain([
 *       Auth.apiKey({
 *         validate: Auth.keys([
 *           { identity: { isServiceAccount: true, subject: "acme" }, key: Redacted.make("acme-key") }
 *         ])
 *       })
 *     ])
 *   },
 *   default: Auth.chain([
 *     Auth.jwt({
 *       audience: "orders",
 *       issuer: "https://id.example.com",
 *       keys: Auth.jwks("https://id.example.com/.well-known/jwks.json")
 *     })
 *   ])
 * })
 * App.describe(App.make("orders", [AuthPlugin])).plugins[0]?.id // => "flange:auth"
 * ```
 */
export const plugin = <
  Default extends Chain.Any | undefined = undefined,
  const Named extends Readonly<Record<string, Chain.Any>> = {},
  const Sections extends ReadonlyArray<Config.AnySection> = readonly [],
  const Required extends ReadonlyArray<AnyKey> = readonly []
>(
  options: {
    /** Chains by name, for `Route.protectedWith` and `Route.optionalWith`. */
    readonly chains?: Named
    /** Configuration sections that backends read. */
    readonly config?: Sections
    /** The chain of `Route.protected` and `Route.optional`. */
    readonly default?: Default
    /** Services that backends take from other plugins. */
    readonly requires?: Required
  } & Undeclared<
    RequiresOf<Default | Named[keyof Named]>,
    Identifiers<Required> | Identifiers<Sections>
  >
): Plugin.Plugin<
  "flange:auth",
  ProvidesAll<Default, Named>,
  | ErrorOf<Default | Named[keyof Named]>
  | (Sections extends readonly [] ? never : Config.ConfigError),
  Identifiers<Required>
> => {
  if (options.default !== undefined && "default" in (options.chains ?? {})) {
    throw new Error(
      "Auth.plugin has two chains named default: one in `default` and one in `chains`. Keep one of the two."
    )
  }
  const chains: Readonly<Record<string, Chain.Any>> = {
    ...(options.default === undefined ? {} : { default: options.default }),
    ...options.chains
  }
  return Plugin.make("flange:auth", {
    annotate: OpenApiSecurity.annotate(chains),
    config: [CrossSiteConfig, GuessingConfig, ...(options.config ?? [])],
    contributes: [
      Documented.make(
        "guessing",
        [GuessingConfig],
        Effect.map(GuessingConfig, ({ enabled }) =>
          enabled ? identity : OpenApiSecurity.withoutGuessing
        )
      )
    ],
    layer: layer(chains),
    middleware: [slot],
    provides: keysOf(chains),
    requires: options.requires ?? []
    // The signature above has the types of the chains.
  } as never) as never
}

/** The keys that the chains provide to routes. */
const keysOf = (chains: Readonly<Record<string, Chain.Any>>) =>
  Object.entries(chains).flatMap(([name, { mode }]) => [
    Authentication.middleware(name),
    ...(mode === "anonymous" ? [Authentication.optionalMiddleware(name)] : [])
  ])

const layer = (chains: Readonly<Record<string, Chain.Any>>) =>
  Layer.effectContext(
    Effect.gen(function* () {
      let context = (yield* redacted(chains)) as Context.Context<unknown>
      const crossSite = yield* CrossSite.make
      const guarded = yield* Guessing.make
      for (const [name, chain] of Object.entries(chains)) {
        const made = yield* Chain.make(name, chain)
        const admitting: Admitting = { ...made, crossSite, decide: guarded(made) }
        context = Context.add(context, keyOf(name), admitting)
        for (const key of keysOf({ [name]: chain })) {
          context = Context.add(context, key as AnyKey, middleware(admitting, key.optional))
        }
      }
      return context
    })
  )

/** The key of the made chain with this name. Only this module reads it, so no replacement has to provide it. */
const keyOf = (name: string): Context.Key<Admitting, Admitting> =>
  Context.Service<Admitting>(`flange/Auth/Chain/${name}`)

/** The middleware of the contract: authenticates on routes where the slot has not done so. */
const middleware = (chain: Admitting, optional: boolean) =>
  ContractMiddleware.make(({ endpoint }) => {
    const before = admit(chain, optional, `${endpoint.method} ${endpoint.path}`)
    return (request) => {
      const caller = request.find(Authentication.CurrentCaller)
      // An optional route admits callers without credentials. A protected endpoint in it does not.
      return caller?.chain === chain.name && (optional || caller.identity !== undefined)
        ? Middleware.pass
        : before(request)
    }
  })

/**
 * Authenticates before limits and transactions. If a layer without the made chain
 * replaces that of this plugin, the middleware of the contract authenticates later.
 */
const slot = Middleware.before("authentication", {
  build: Effect.map(Effect.context<never>(), (context) => ({ access, method, path }) => {
    if (!("chain" in access)) return undefined
    const chain = Context.getOrUndefined(context, keyOf(access.chain))
    return chain && admit(chain, access.type === "optional", `${method} ${path}`)
  }),
  describe: ({ access }) => ("chain" in access ? {} : undefined),
  slot: "Authentication"
})

/** Keeps credentials out of spans: their headers and parameters join those that are never shown. */
const redacted = (chains: Readonly<Record<string, Chain.Any>>) =>
  Effect.gen(function* () {
    const sources = Object.values(chains)
      .flatMap(({ backends }) => backends)
      .flatMap(({ source }) => (source === undefined ? [] : [source]))
    const names = (place: "header" | "query") =>
      sources.filter((source) => source.in === place).map(({ name }) => name)
    return Context.empty().pipe(
      Context.add(Headers.CurrentRedactedNames, [
        ...new Set([...(yield* Headers.CurrentRedactedNames), ...names("header")])
      ]),
      Context.add(UrlParams.CurrentRedactedNames, [
        ...new Set([...(yield* UrlParams.CurrentRedactedNames), ...names("query")])
      ])
    )
  })
