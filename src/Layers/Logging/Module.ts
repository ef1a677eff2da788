/** Code whose lines have the name of a module. */
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import { combined, LogRules } from "../../Server/Exchange/LogRules.ts"

/**
 * Adds the annotation `module` to the lines of an effect, as Effect's own modules have it, and sets the
 * log level that is for the module in `logging.levels.modules` or in `LogLevels`. A level for `billing` is
 * for `billing:invoices`, `billing.invoices` and `billing/invoices` too.
 *
 * The handlers of a plugin's routes have the level of the plugin's id without this.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Logging from "flange/Logging"
 *
 * const invoice = Effect.logDebug("rounding").pipe(Effect.as(7), Logging.module("billing:invoices"))
 * Effect.runSync(invoice) // => 7
 * ```
 */
export const module =
  (name: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.annotateLogs(
      Effect.withFiber((fiber) => {
        const rules = fiber.getRef(LogRules)
        const level = rules.isEmpty ? undefined : rules.forModule(name)
        return level === undefined
          ? effect
          : Effect.provideService(
              effect,
              References.MinimumLogLevel,
              combined(rules, fiber.getRef(References.MinimumLogLevel), level)
            )
      }),
      { module: name }
    )
