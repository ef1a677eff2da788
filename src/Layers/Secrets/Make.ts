/** Creates the service `Secrets` over the providers that the configuration names. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SecretsShape } from "../../Plugin/Secrets.ts"
import * as AwsProvider from "./AwsProvider.ts"
import * as Chain from "./Chain.ts"
import * as EnvironmentProvider from "./EnvironmentProvider.ts"
import * as FilesProvider from "./FilesProvider.ts"
import { checked, type Provider } from "./Provider.ts"
import * as Refreshed from "./Refreshed.ts"
import type { Settings } from "./SecretsConfig.ts"

/** How long the text of a file is used before the file is read again. */
const fileTtl = Duration.seconds(1)

const providerOf = (
  kind: Settings["providers"][number],
  settings: Settings,
  counts: Refreshed.Counts
): Effect.Effect<Provider, AwsProvider.SecretsClientMissing, Scope.Scope> => {
  const { directory, maxStale, timeout } = settings
  const options = { counts, maxStale, timeout }
  switch (kind) {
    case "aws":
      return Effect.flatMap(AwsProvider.read(settings), (read) =>
        Refreshed.make(read, AwsProvider.where, { ...options, ttl: settings.ttl })
      )
    case "environment":
      return EnvironmentProvider.make
    case "files":
      return Refreshed.make(FilesProvider.read(directory), `in the files of ${directory}`, {
        ...options,
        ttl: fileTtl
      })
  }
}

/** Creates the service over a provider. */
export const over = (provider: Provider, counts: Refreshed.Counts): SecretsShape => ({
  get: checked(provider.read),
  stats: () => ({ ...counts, stale: provider.stale() })
})

/** Creates the service. Closing the scope ends its reads. */
export const make = (
  settings: Settings
): Effect.Effect<SecretsShape, AwsProvider.SecretsClientMissing, Scope.Scope> =>
  Effect.gen(function* () {
    const counts: Refreshed.Counts = { failures: 0, reads: 0 }
    const providers = yield* Effect.forEach(settings.providers, (kind) =>
      providerOf(kind, settings, counts)
    )
    return over(Chain.make(providers), counts)
  })
