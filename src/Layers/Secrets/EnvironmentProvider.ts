/** Secrets in environment variables. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { SecretNotFound, SecretUnavailable } from "../../Plugin/Secrets.ts"
import { maxBytes, type Provider } from "./Provider.ts"

const where = "in the environment"

/** Returns the variable of a secret: `DATABASE_PASSWORD` for `database-password`. */
export const variableOf = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")

/** Creates the provider. The variables of a process do not change, so each read finds the same. */
export const make: Effect.Effect<Provider> = Effect.gen(function* () {
  const variables = yield* ConfigProvider.ConfigProvider
  const known = new Map<string, Redacted.Redacted>()
  return {
    read: Effect.fnUntraced(function* (name) {
      const variable = variableOf(name)
      const before = known.get(variable)
      if (before !== undefined) return before
      const node = yield* Effect.orDie(variables.load([variable]))
      const text = node?.value
      if (text === undefined) {
        return yield* new SecretNotFound({ name, remedy: `set the variable ${variable}`, where })
      }
      if (Buffer.byteLength(text) > maxBytes) {
        const reason = `the variable ${variable} has more than ${maxBytes} bytes`
        return yield* new SecretUnavailable({ name, reason, where })
      }
      const value = Redacted.make(text)
      known.set(variable, value)
      return value
    }),
    stale: () => []
  }
})
