/** Secrets in AWS Secrets Manager. The package `@aws-sdk/client-secrets-manager` is loaded by the first use. */
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as AwsReplies from "../../Plugin/AwsReplies.ts"
import { type SecretError, SecretNotFound, SecretUnavailable } from "../../Plugin/Secrets.ts"
import type { Settings } from "./SecretsConfig.ts"

/** The package of the provider `aws` is not installed, or cannot be loaded. */
export class SecretsClientMissing extends Schema.TaggedError<SecretsClientMissing>()(
  "SecretsClientMissing",
  { cause: Schema.Defect() }
) {
  override get message(): string {
    return 'secrets.providers has "aws", and the package of AWS cannot be loaded. Run: npm install @aws-sdk/client-secrets-manager'
  }
}

/** The place of the secrets in messages. */
export const where = "in AWS Secrets Manager"

const maxReason = 300

/** Returns what the SDK says about a failed call. Only replies that succeed have secrets. */
const reasonOf = (error: unknown): string => {
  const name = hasProperty(error, "name") ? String(error.name) : "Error"
  const message = hasProperty(error, "message") ? String(error.message) : ""
  return `${name}: ${message}`.replaceAll(/\s+/g, " ").slice(0, maxReason)
}

const errorOf = (name: string, error: unknown): SecretError => {
  const code = hasProperty(error, "name") ? error.name : undefined
  const isDeleted = code === "InvalidRequestException" && /delet/i.test(reasonOf(error))
  return code === "ResourceNotFoundException" || isDeleted
    ? new SecretNotFound({
        name,
        remedy: `create it: aws secretsmanager create-secret --name ${name}`,
        where
      })
    : new SecretUnavailable({ name, reason: reasonOf(error), where })
}

/** Returns the function that asks AWS each time. Closing the scope closes the connections. */
export const read = Effect.fnUntraced(function* ({
  endpoint,
  region
}: Settings): Effect.fn.Return<
  (name: string) => Effect.Effect<Redacted.Redacted, SecretError>,
  SecretsClientMissing,
  Scope.Scope
> {
  const sdk = yield* Effect.tryPromise({
    catch: (cause) => new SecretsClientMissing({ cause }),
    try: () => import("@aws-sdk/client-secrets-manager")
  })
  const client: SecretsManagerClient = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const made = new sdk.SecretsManagerClient({
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(region === undefined ? {} : { region })
      })
      made.middlewareStack.add(AwsReplies.bounded(undefined), AwsReplies.place)
      return made
    }),
    (opened) => Effect.sync(() => opened.destroy())
  )
  return Effect.fnUntraced(function* (name: string) {
    const reply = yield* Effect.tryPromise({
      catch: (error) => errorOf(name, error),
      try: (abortSignal) =>
        client.send(new sdk.GetSecretValueCommand({ SecretId: name }), { abortSignal })
    })
    if (reply.SecretString !== undefined && reply.SecretString !== "") {
      return Redacted.make(reply.SecretString)
    }
    const reason =
      reply.SecretBinary === undefined ? "it is empty" : "it is binary: store it as SecretString"
    return yield* new SecretUnavailable({ name, reason, where })
  })
})
