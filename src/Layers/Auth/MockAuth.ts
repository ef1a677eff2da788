/** Plugins that replace the authentication of an app in tests. */
import * as Effect from "effect/Effect"
import type * as Authentication from "../../Contract/Authentication.ts"
import type * as Plugin from "../../Plugin/Plugin.ts"
import * as Auth from "./index.ts"

/** The chains that a mock replaces. */
export interface Options<Chains extends string = never> {
  /** The names of the app's chains, except `default`. */
  readonly chains?: ReadonlyArray<Chains> | undefined
}

/** A plugin that replaces `Auth.plugin`. It serves protected and optional routes. */
export type MockAuth<Chains extends string = never> = Plugin.Plugin<
  "flange:auth",
  {
    [Chain in Chains | "default"]:
      | Authentication.Authentication<Chain>
      | Authentication.OptionalAuthentication<Chain>
  }[Chains | "default"]
>

const mock = <Chains extends string>(
  identity: Authentication.Identity | undefined,
  { chains = [] }: Options<Chains>
): MockAuth<Chains> => {
  const chain = Auth.chain(
    identity === undefined
      ? []
      : [
          Auth.backend({
            authenticate: () => Effect.succeed(identity),
            name: identity.method
          })
        ],
    { acceptsCrossSite: true, unauthenticated: "anonymous" }
  )
  return Auth.plugin({
    chains: Object.fromEntries(chains.map((name) => [name, chain])),
    default: chain
    // The names of the chains are known from the list.
  }) as unknown as MockAuth<Chains>
}

/**
 * Creates a plugin that authenticates every request as this caller, whatever its
 * credentials. Use it with `replace` in the place of the app's authentication.
 * Guards and policies still decide.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import * as Redacted from "effect/Redacted"
 * import * as Schema from "effect/Schema"
 * import { App, CurrentIdentity, Plugin, Route } from "flange"
 * import * as Auth from "flange/Auth"
 * import { MockAuth } from "flange/Auth/Testing"
 * import { TestApp } from "flange/Testing"
 *
 * class MeApi extends HttpApiGroup.make("me").add(
 *   HttpApiEndpoint.get("me", "/me", { success: Schema.String })
 * ) {}
 * const MePlugin = Plugin.make("app:me", {
 *   routes: [Route.protected(MeApi, (handlers) =>
 *     handlers.handleAll({ me: () => CurrentIdentity.useSync(({ subject }) => subject) }))]
 * })
 * const AuthPlugin = Auth.plugin({
 *   default: Auth.chain([
 *     Auth.bearer([{ identity: { subject: "deploy" }, token: Redacted.make("a-long-random-token") }])
 *   ])
 * })
 *
 * const test = Effect.gen(function*() {
 *   const app = yield* TestApp.make(App.make("me", [AuthPlugin, MePlugin]), {
 *     replace: [[AuthPlugin, MockAuth.as("ada", { scopes: ["orders:read"] })]]
 *   })
 *   return yield* app.client.me.me()
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => "ada"
 * ```
 */
export const as = <const Chains extends string = never>(
  subject: string,
  { chains, ...input }: Omit<Auth.IdentityInput, "subject"> & Options<Chains> = {}
): MockAuth<Chains> => mock(Auth.identity({ ...input, subject }, "mock"), { chains })

/**
 * Creates a plugin that authenticates every request as this identity, unchanged.
 *
 * @example
 * ```ts
 * import * as Auth from "flange/Auth"
 * import { MockAuth } from "flange/Auth/Testing"
 *
 * const robot = Auth.identity({ isServiceAccount: true, subject: "robot" })
 * MockAuth.identity(robot).id // => "flange:auth"
 * ```
 */
export const identity = <const Chains extends string = never>(
  identity: Authentication.Identity,
  options: Options<Chains> = {}
): MockAuth<Chains> => mock(identity, options)

/**
 * Creates a plugin that authenticates no request. Protected routes answer 401, and
 * optional ones serve an anonymous caller.
 *
 * @example
 * ```ts
 * import { MockAuth } from "flange/Auth/Testing"
 *
 * MockAuth.anonymous().id // => "flange:auth"
 * ```
 */
export const anonymous = <const Chains extends string = never>(
  options: Options<Chains> = {}
): MockAuth<Chains> => mock(undefined, options)
