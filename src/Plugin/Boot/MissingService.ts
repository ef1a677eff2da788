/** Names the service for which a plugin asks without listing it, in a program without types. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { AssemblyError } from "../Errors.ts"
import type * as Plugin from "../Plugin.ts"

/** Fails with `AssemblyError` instead of the defect of Effect if a plugin does not get a service. */
export const named =
  (app: string, plugin: Plugin.Any, plugins: ReadonlyArray<Plugin.Any>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, AssemblyError | E, R> =>
    Effect.catchCause(effect, (cause): Effect.Effect<never, AssemblyError | E> => {
      const key = missingIn(cause)
      if (key === undefined) return Effect.failCause(cause)
      const message = messageOf(plugin, key, plugins)
      const problems = [{ kind: "MissingService", message, plugins: [plugin.id] } as const]
      return Effect.fail(new AssemblyError({ app, problems }))
    })

/** Effect has no class for this defect. */
const missingIn = (cause: Cause.Cause<unknown>): string | undefined => {
  const defect = cause.reasons.find(Cause.isDieReason)?.defect
  return defect instanceof Error ? /^Service not found: (.+)$/.exec(defect.message)?.[1] : undefined
}

const messageOf = (
  { id, manifest }: Plugin.Any,
  key: string,
  plugins: ReadonlyArray<Plugin.Any>
) => {
  const listed = manifest.requires.some((required) => required.key === key)
  const provider = plugins.find(({ manifest: { provides } }) =>
    provides.some((service) => service.key === key)
  )
  if (provider === undefined) {
    return `Plugin "${id}" uses service "${key}", which no plugin provides. Add a plugin that lists it in \`provides\`, and add it to \`requires\` of "${id}".`
  }
  return listed || provider.id === id
    ? `Plugin "${provider.id}" lists service "${key}" in \`provides\`, but its layer does not provide it. Add it to the layer.`
    : `Plugin "${id}" uses service "${key}" of plugin "${provider.id}", which is acquired later. Add it to \`requires\` of "${id}".`
}
