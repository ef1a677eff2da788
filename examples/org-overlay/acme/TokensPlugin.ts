/** The plugin that makes tokens for the machine of a developer, with the command `flange token`. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Cli, Plugin } from "flange"
import { AuthConfig } from "./AuthPlugin.ts"

export class Tokens extends Context.Service<
  Tokens,
  { readonly make: (subject: string) => Effect.Effect<string> }
>()("acme/Tokens") {
  static readonly layer = Layer.effect(
    Tokens,
    Effect.gen(function* () {
      const { audience, issuer, jwtSecret } = yield* AuthConfig
      return Tokens.of({
        make: (subject) =>
          Effect.promise(async () => {
            // A server makes no tokens, so it does not load this.
            const { SignJWT } = await import("jose")
            return new SignJWT()
              .setProtectedHeader({ alg: "HS256" })
              .setAudience(audience)
              .setExpirationTime("1 hour")
              .setIssuer(issuer)
              .setSubject(subject)
              .sign(new TextEncoder().encode(Redacted.value(jwtSecret)))
          })
      })
    })
  )
}

export const TokensPlugin = Plugin.make("acme:tokens", {
  config: [AuthConfig],
  contributes: [Cli.make("token", { load: () => import("./tokenCommand.ts") })],
  layer: Tokens.layer,
  provides: [Tokens]
})
