/** The plugin `flange:secrets`. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Metering from "../../Plugin/Metering.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import { type SecretError, Secrets } from "../../Plugin/Secrets.ts"
import { make } from "./Make.ts"
import { SecretsConfig } from "./SecretsConfig.ts"

/**
 * Reads a secret as it is now. Read it where it is used, in place of keeping it: then it can change
 * while the app runs. Fails with `SecretNotFound` or `SecretUnavailable`; neither has the value.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 * import * as Secrets from "flange/Secrets"
 * import { TestSecrets } from "flange/Secrets/Testing"
 *
 * const program = Secrets.get("mail-token").pipe(
 *   Effect.map(Redacted.value),
 *   Effect.provide(TestSecrets.layer({ "mail-token": "t-1" }))
 * )
 * await Effect.runPromise(program) // => "t-1"
 * ```
 */
export const get = (name: string): Effect.Effect<Redacted.Redacted, SecretError, Secrets> =>
  Secrets.use((secrets) => secrets.get(name))

const health = Secrets.useSync((secrets) => {
  const { stale } = secrets.stats()
  return stale.length === 0
    ? undefined
    : HealthCheck.degraded(`These secrets could not be read again: ${stale.toSorted().join(", ")}`)
})

const measure = Secrets.use(({ stats }) =>
  Metering.readings([
    {
      description: "Reads of secrets that were not in memory, or no longer fresh",
      id: "flange.secrets.reads",
      read: () => stats().reads,
      type: "counter"
    },
    {
      description: "Reads of secrets that failed: the provider could not be asked",
      id: "flange.secrets.failures",
      read: () => stats().failures,
      type: "counter"
    },
    {
      description: "Secrets whose last value is used because they could not be read again",
      id: "flange.secrets.stale",
      read: () => stats().stale.length,
      type: "gauge"
    }
  ])
)

/**
 * Provides `Secrets`, which reads secrets by name from mounted files, the environment or AWS Secrets
 * Manager, and resolves the values `secret:<name>` of the configuration.
 *
 * - config: section `secrets`
 * - health: `secrets`, informational: degraded while a secret cannot be read again
 * - metrics: `flange.secrets.failures`, `flange.secrets.reads`, `flange.secrets.stale`
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Secrets from "flange/Secrets"
 *
 * const app = App.make("shop", [Secrets.plugin])
 * App.describe(app).plugins[0]!.config // => ["secrets"]
 * ```
 */
export const plugin = Plugin.make("flange:secrets", {
  config: [SecretsConfig],
  health: { secrets: HealthCheck.make(health, { class: "informational" }) },
  layer: Layer.effect(Secrets, Effect.flatMap(SecretsConfig, make)),
  provides: [Secrets],
  ready: () => measure
})
