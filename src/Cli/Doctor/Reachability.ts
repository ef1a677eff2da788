/** Acquires an app without a listener, and runs its health checks and those of its plugins once. */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as AppDefinition from "../../Plugin/AppDefinition.ts"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as Contribution from "../../Plugin/Contribution.ts"
import * as Doctor from "../../Plugin/Doctor.ts"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as CurrentApp from "../CurrentApp.ts"
import * as Check from "./Check.ts"

/** How long the app may take to be acquired and checked. */
const limit = Duration.minutes(1)

/** What the plugins know of their checks before the app is acquired. */
const settingsOf = ({ manifest }: AppDefinition.Any["plugins"][number]) =>
  manifest.contributions
    .filter(Contribution.isOpen)
    // Contributions of a kind are made by the kind, which holds their types.
    .flatMap(({ data, kind }) => (kind === Doctor.kind.name ? [data as Doctor.Settings] : []))

const health = ({ data, name, value }: HealthCheck.Contributed) =>
  Check.run(
    {
      name: `health.${name}`,
      run: Effect.map(value, (result) =>
        result instanceof HealthCheck.Degraded
          ? Doctor.warning(`It works in part: ${result.reason}.`, "Repair what the message names.")
          : Doctor.ok("The component works.")
      )
    },
    data.timeout
  )

/** Runs all checks of an app that is acquired, at the same time. */
const checked = Effect.gen(function* () {
  const { contributions } = yield* AppRuntime
  const ofPlugins = yield* Effect.forEach(contributions(Doctor.kind), ({ name, value }) =>
    Effect.matchCause(value, {
      // The module of the checks cannot be loaded.
      onFailure: (cause) => [Check.run({ name, run: Effect.failCause(cause) })],
      onSuccess: (checks) =>
        Object.entries(checks).map(([check, run]) => Check.run({ name: `${name}.${check}`, run }))
    })
  )
  const all = [...contributions(HealthCheck.kind).map(health), ...ofPlugins.flat()]
  return (yield* Effect.all(all, { concurrency: "unbounded" })).flat()
})

/** Acquires the plugins that provide `requires`, or all, and checks them. */
const attempt = (
  app: AppDefinition.Any,
  requires?: ReadonlyArray<Context.Key<unknown, unknown>>
): Effect.Effect<ReadonlyArray<Check.Result>, string> => {
  const settings = app.plugins.flatMap(settingsOf)
  const overrides = CurrentApp.merged(...settings.map((each) => each.overrides))
  const options = requires === undefined ? { overrides } : { overrides, requires }
  return CurrentApp.make(app)
    .run(checked, options)
    .pipe(
      Effect.mapError(({ message }) => message),
      Effect.timeoutOrElse({
        duration: limit,
        orElse: () => Effect.fail(`The app does not start within ${Duration.format(limit)}.`)
      })
    )
}

const remedy = "Repair what the message names. The log on stderr has more."

/**
 * Returns what the checks of an app found. If it cannot be acquired, each plugin with checks is
 * acquired with what it requires alone, because its checks may name the reason.
 */
export const results = (app: AppDefinition.Any): Effect.Effect<ReadonlyArray<Check.Result>> =>
  attempt(app).pipe(
    Effect.map((found) => [
      { check: "start", ...Doctor.ok("All plugins start without a listener.") },
      ...found
    ]),
    Effect.catch((message) => {
      const plugins = app.plugins.filter(
        (plugin) => settingsOf(plugin).length > 0 && plugin.manifest.provides.length > 0
      )
      return Effect.map(
        Effect.forEach(plugins, ({ manifest }) =>
          Effect.orElseSucceed(attempt(app, manifest.provides), () => [])
        ),
        (found) => [{ check: "start", ...Doctor.failed(message, remedy) }, ...found.flat()]
      )
    })
  )
