/** Secrets in the memory of a test. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import {
  type SecretError,
  SecretNotFound,
  Secrets,
  SecretUnavailable
} from "../../Plugin/Secrets.ts"
import { over } from "./Make.ts"
import type { Provider } from "./Provider.ts"

/** Secrets that a test changes while the app runs. */
export class Memory {
  readonly #values: Map<string, Redacted.Redacted>
  #isAway = false

  constructor(values: Readonly<Record<string, string>>) {
    this.#values = new Map(
      Object.entries(values).map(([name, text]) => [name, Redacted.make(text)])
    )
  }

  /** Lets each read fail with `SecretUnavailable`, or ends that. */
  setAway(isAway: boolean): void {
    this.#isAway = isAway
  }

  /** Removes a secret. */
  remove(name: string): void {
    this.#values.delete(name)
  }

  /** Creates or replaces a secret. */
  set(name: string, text: string): void {
    this.#values.set(name, Redacted.make(text))
  }

  /** Reads as a provider does. */
  readonly provider: Provider = {
    read: (name) =>
      Effect.suspend((): Effect.Effect<Redacted.Redacted, SecretError> => {
        const where = "in the memory of the test"
        if (this.#isAway) {
          return Effect.fail(new SecretUnavailable({ name, reason: "the test says so", where }))
        }
        const value = this.#values.get(name)
        return value === undefined
          ? Effect.fail(
              new SecretNotFound({ name, remedy: "give it to TestSecrets.layer or .make", where })
            )
          : Effect.succeed(value)
      }),
    stale: () => []
  }
}

/**
 * Creates secrets that a test changes while the app runs: give them to `TestSecrets.layer`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 * import * as Secrets from "flange/Secrets"
 * import { TestSecrets } from "flange/Secrets/Testing"
 *
 * const memory = TestSecrets.make({ "mail-token": "t-1" })
 * const token = Effect.map(Secrets.get("mail-token"), Redacted.value)
 * const program = Effect.gen(function* () {
 *   const before = yield* token
 *   memory.set("mail-token", "t-2")
 *   return [before, yield* token]
 * })
 * await Effect.runPromise(Effect.provide(program, TestSecrets.layer(memory))) // => ["t-1", "t-2"]
 * ```
 */
export const make = (values: Readonly<Record<string, string>>): Memory => new Memory(values)

/**
 * Creates a layer of secrets in memory. Give it to a test, or to `replace` of `TestApp.make` in the
 * place of `Secrets.plugin`: values `secret:<name>` of the configuration are then looked up in it too.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 * import { App } from "flange"
 * import * as Secrets from "flange/Secrets"
 * import { TestSecrets } from "flange/Secrets/Testing"
 * import { TestApp } from "flange/Testing"
 *
 * const app = App.make("shop", [Secrets.plugin])
 * const test = Effect.gen(function* () {
 *   const shop = yield* TestApp.make(app, {
 *     replace: [[Secrets.plugin, TestSecrets.layer({ "mail-token": "t-1" })]]
 *   })
 *   return Redacted.value(yield* shop.run(Secrets.get("mail-token")))
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => "t-1"
 * ```
 */
export const layer = (secrets: Memory | Readonly<Record<string, string>>): Layer.Layer<Secrets> =>
  Layer.sync(Secrets, () => {
    const memory = secrets instanceof Memory ? secrets : make(secrets)
    return over(memory.provider, { failures: 0, reads: 0 })
  })
