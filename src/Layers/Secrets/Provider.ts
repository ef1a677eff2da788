/** Providers: places that have secrets. */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { type SecretError, SecretNotFound } from "../../Plugin/Secrets.ts"

/** A place that has secrets. */
export interface Provider {
  /** Reads a secret whose name is valid. */
  readonly read: (name: string) => Effect.Effect<Redacted.Redacted, SecretError>
  /** Returns the names of the secrets whose last value is in use because of a failure. */
  readonly stale: () => ReadonlyArray<string>
}

/** The most bytes that a secret may have, which is the limit of AWS Secrets Manager. */
export const maxBytes = 65_536

/** The longest name, which is the limit of a file on Linux. */
const maxLength = 255

/**
 * Segments with `/` between them. No segment begins with a dot: a name cannot leave a directory, and
 * does not reach `..data` of Kubernetes.
 */
const valid = /^[A-Za-z0-9_@+=-][A-Za-z0-9_.@+=-]*(?:\/[A-Za-z0-9_@+=-][A-Za-z0-9_.@+=-]*)*$/

/** Refuses names that some provider could not have, before a provider is asked. */
export const checked = (read: Provider["read"]): Provider["read"] => {
  return (name) =>
    name.length <= maxLength && valid.test(name)
      ? read(name)
      : Effect.fail(
          new SecretNotFound({
            name: name.slice(0, maxLength),
            remedy: `write a name of at most ${maxLength} letters, digits and the characters _ . @ + = -, with / between segments that do not begin with a dot`,
            where: "in any provider"
          })
        )
}
