/**
 * The command `token`: prints a token for trying the API. In production another system issues
 * tokens, so the command works in the environment `local` only.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Config } from "flange"
import { SignJWT } from "jose"
import { config } from "./app.ts"
import { AuthConfig } from "./auth/AuthConfig.ts"

const source = { ...config, variables: process.env }

const token = Command.make(
  "token",
  {
    scopes: Flag.String("scopes").pipe(
      Flag.withDescription("The scopes of the token, separated by commas or spaces"),
      Flag.withDefault("")
    ),
    subject: Argument.String("subject").pipe(Argument.withDescription("The subject of the token"))
  },
  Effect.fnUntraced(function* ({ scopes, subject }) {
    const { environment } = yield* Config.load({ ...source, sections: [] })
    if (environment !== "local") {
      return yield* refuse(
        `Tokens are made in the environment local only, and this is ${environment}. Ask the issuer of ${environment} for a token.`
      )
    }
    const { context } = yield* Config.load({ ...source, sections: [AuthConfig] })
    const { audience, issuer, jwtSecret } = yield* Effect.provide(AuthConfig, context)
    const signed = yield* Effect.promise(() =>
      new SignJWT({ scope: scopes.replaceAll(",", " ") })
        .setProtectedHeader({ alg: "HS256" })
        .setAudience(audience)
        .setExpirationTime("1 hour")
        .setIssuedAt()
        .setIssuer(issuer)
        .setSubject(subject)
        .sign(new TextEncoder().encode(Redacted.value(jwtSecret)))
    )
    yield* Console.log(signed)
  })
).pipe(Command.withDescription("Print a token for this machine, valid for an hour"))

const refuse = (reason: string) =>
  Effect.andThen(
    Console.error(reason),
    Effect.sync(() => {
      process.exitCode = 1
    })
  )

Command.make("recipe-api").pipe(
  Command.withSubcommands([token]),
  Command.run({ version: "0.1.0" }),
  Effect.catchTag("ConfigError", ({ message }) => refuse(message)),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
