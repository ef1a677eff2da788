/** The battery as a plugin. */
import * as Effect from "effect/Effect"
import type * as Config from "../../Config/index.ts"
import * as Authentication from "../../Contract/Authentication.ts"
import type * as Guard from "../../Contract/Guard.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Port from "../../Server/Route/Port.ts"
import * as Route from "../../Server/Route/Route.ts"
import { AdminConfig } from "./AdminConfig.ts"
import * as Answers from "./Answers.ts"
import * as Behind from "./Behind.ts"
import * as ChangeLog from "./ChangeLog.ts"
import { AdminGroup } from "./Contract.ts"
import * as Contributed from "./Contributed.ts"
import * as Gate from "./Gate.ts"

const routes = [
  Route.public(AdminGroup, (handlers) =>
    Effect.map(Answers.make, (answers) => handlers.handleAll(answers))
  ),
  Route.raw("admin-contributed", Contributed.layer, { access: "public" })
] as const

/**
 * The admin port: a listener of its own, by default on `127.0.0.1:8081`, that shows and steers the running
 * app. It answers with the health of the app, its configuration with sources and masked secrets, its routes,
 * plugins and actions, and with the routes that plugins contribute with `AdminRoute.make`. It runs actions
 * and drains the app. Each change is logged with the tag `security`.
 *
 * On an address that other machines reach it needs `admin.token`, or `Admin.protectedWith`. The port opens
 * before the app does and answers until the app has drained.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { App } from "flange"
 * import * as Admin from "flange/Admin"
 * import { TestApp } from "flange/Testing"
 *
 * const test = Effect.gen(function* () {
 *   const shop = yield* TestApp.make(App.make("shop", [Admin.plugin]))
 *   const admin = yield* shop.port("admin").client(Admin.AdminApi)
 *   return (yield* admin.health()).status
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => "ready"
 * ```
 */
export const plugin = Plugin.make("flange:admin", {
  config: [AdminConfig],
  contributes: [
    Port.make("admin", {
      middleware: [Gate.headers, Gate.withToken, ChangeLog.middleware, Contributed.unknown],
      place: AdminConfig.useSync(({ host, port }) => ({ host, port })),
      routes
    })
  ]
})

/**
 * Returns the admin port behind an authentication chain of the app instead of a token. Callers need the
 * guard too: whoever may use the app may not therefore stop it.
 *
 * @example
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import { App } from "flange"
 * import * as Admin from "flange/Admin"
 * import * as Auth from "flange/Auth"
 *
 * const staff = Auth.chain([
 *   Auth.apiKey({
 *     validate: Auth.keys([
 *       { identity: { scopes: ["admin"], subject: "ada" }, key: Redacted.make("key-of-ada") }
 *     ])
 *   })
 * ])
 * const app = App.make("shop", [
 *   Auth.plugin({ chains: { staff } }),
 *   Admin.protectedWith("staff", Auth.requireScopes("admin"))
 * ])
 * App.describe(app).plugins.map(({ id }) => id) // => ["flange:auth", "flange:admin"]
 * ```
 */
export const protectedWith = <const Chain extends string>(
  chain: Chain,
  guard: Guard.Key<Guard.Guard>
): Plugin.Plugin<"flange:admin", never, Config.ConfigError, Authentication.Authentication<Chain>> =>
  Plugin.make("flange:admin", {
    config: [Behind.BehindConfig],
    contributes: [
      Port.make("admin", {
        middleware: [
          Gate.headers,
          Gate.withoutToken,
          Behind.make(chain, guard),
          ChangeLog.middleware,
          Contributed.unknown
        ],
        place: Behind.BehindConfig.useSync(({ host, port }) => ({ host, port })),
        routes
      })
    ],
    requires: [Authentication.middleware(chain)]
    // The signature above has the type of the chain.
  } as never) as never
