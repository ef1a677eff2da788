/** Several providers, of which the first one that has a secret wins. */
import * as Effect from "effect/Effect"
import { SecretNotFound } from "../../Plugin/Secrets.ts"
import type { Provider } from "./Provider.ts"

/**
 * Creates a provider that asks others in order. Only a secret that does not exist is looked up in the
 * next one: a provider that cannot be asked may have another value than the next one.
 */
export const make = (providers: ReadonlyArray<Provider>): Provider => ({
  read: Effect.fnUntraced(function* (name) {
    const missing: Array<SecretNotFound> = []
    for (const { read } of providers) {
      const found = yield* Effect.catchTag(read(name), "SecretNotFound", Effect.succeed)
      if (!(found instanceof SecretNotFound)) return found
      missing.push(found)
    }
    return yield* new SecretNotFound({
      name,
      remedy: missing.map(({ remedy }) => remedy).join(", or "),
      where: missing.map(({ where }) => where).join(", nor ")
    })
  }),
  stale: () => providers.flatMap(({ stale }) => stale())
})
