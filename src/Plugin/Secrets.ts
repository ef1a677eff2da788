/**
 * The secrets of an app: the service that reads them by name, its errors, and the secrets that the
 * configuration names.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/** No provider has a secret of that name. */
export class SecretNotFound extends Schema.TaggedError<SecretNotFound>()("SecretNotFound", {
  name: Schema.String,
  /** What to do so that the secret exists, such as `set the variable DATABASE_PASSWORD`. */
  remedy: Schema.String,
  /** The places without the secret, such as `in the environment`. */
  where: Schema.String
}) {
  override get message(): string {
    return `The secret ${JSON.stringify(this.name)} does not exist ${this.where}: ${this.remedy}.`
  }
}

/** A provider cannot be asked for a secret, or what it has is no text. */
export class SecretUnavailable extends Schema.TaggedError<SecretUnavailable>()(
  "SecretUnavailable",
  {
    name: Schema.String,
    /** Why it cannot be read, without the value. */
    reason: Schema.String,
    /** The place that should have it, such as `in the files of /run/secrets`. */
    where: Schema.String
  }
) {
  override get message(): string {
    return `The secret ${JSON.stringify(this.name)} ${this.where} cannot be read: ${this.reason}.`
  }
}

/** The errors with which a secret may fail to be read. */
export type SecretError = SecretNotFound | SecretUnavailable

/** What the providers did since the start. */
export interface SecretStats {
  /** How often a provider could not be asked, or had no text. */
  readonly failures: number
  /** How often a provider was asked for a secret that was not in memory. */
  readonly reads: number
  /** The names of the secrets whose last value is in use because it could not be read again. */
  readonly stale: ReadonlyArray<string>
}

/** The service `Secrets`. */
export interface SecretsShape {
  /**
   * Reads a secret as it is now. A value that is in memory and fresh takes no time, so read the secret
   * where it is used in place of keeping it: then it can change while the app runs. Two reads return the
   * same `Redacted` if the value has not changed.
   */
  readonly get: (name: string) => Effect.Effect<Redacted.Redacted, SecretError>
  /** Returns what the providers did since the start. */
  readonly stats: () => SecretStats
}

/** Reads secrets by their names. `Secrets.plugin` of `flange/Secrets` provides it. */
export class Secrets extends Context.Service<Secrets, SecretsShape>()("flange/Secrets") {}

/**
 * Returns the secret that a key of the configuration names with `secret:<name>`, read as it is now;
 * undefined for a key with a value of its own. The decoded section has the secret as it was at the start,
 * so a plugin that uses a secret again and again, such as the password of new connections, reads it here.
 */
export const ConfiguredSecret: Context.Reference<
  (key: string) => Effect.Effect<Redacted.Redacted, { readonly message: string }> | undefined
> = Context.Reference<
  (key: string) => Effect.Effect<Redacted.Redacted, { readonly message: string }> | undefined
>("flange/Secrets/Configured", { defaultValue: () => () => undefined })
