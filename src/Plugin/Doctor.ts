/**
 * Checks of `flange doctor` that plugins bring. Their module is loaded when the command runs, so a
 * server never loads it.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Contribution from "./Contribution.ts"

/**
 * The outcome of a check.
 *
 * - `failed`: the app cannot work, or is unsafe
 * - `ok`: nothing is wrong
 * - `skipped`: the check does not apply here
 * - `warning`: the app works, and something should be changed
 */
export type State = "failed" | "ok" | "skipped" | "warning"

/** What a check found. */
export interface Finding {
  /** One sentence. It has no secret. */
  readonly message: string
  /** What to do, if something is wrong. */
  readonly remedy?: string | undefined
  readonly state: State
}

/** Returns that the app cannot work, or is unsafe, and what to do. */
export const failed = (message: string, remedy: string): Finding => ({
  message,
  remedy,
  state: "failed"
})

/** Returns that nothing is wrong. */
export const ok = (message: string): Finding => ({ message, state: "ok" })

/** Returns that the check does not apply, and why. */
export const skipped = (message: string): Finding => ({ message, state: "skipped" })

/** Returns that something should be changed although the app works, and what to do. */
export const warning = (message: string, remedy: string): Finding => ({
  message,
  remedy,
  state: "warning"
})

/** Checks by name. A check that fails or dies counts as `failed`, with the message of its error. */
export type Checks<R> = Readonly<Record<string, Effect.Effect<Finding, unknown, R>>>

/** What is known of the checks of a plugin before its app is acquired. */
export interface Settings {
  /** Values of the configuration with which `flange doctor` acquires the app. */
  readonly overrides: object
}

/** The kind of checks. Its values load the checks of a plugin, bound to the services of the plugin. */
export const kind = Contribution.kind<Settings, Effect.Effect<Checks<never>>>()("doctor")

type RequiredBy<C> = {
  [Name in keyof C]: C[Name] extends Effect.Effect<Finding, infer _E, infer R> ? R : never
}[keyof C]

/**
 * Creates checks of `flange doctor`, for the option `contributes` of a plugin. `load` imports the
 * module that exports `checks`. The command acquires the app without a listener, runs the checks at
 * the same time, and shows each as `<name>.<check>`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { App, Doctor, Plugin } from "flange"
 *
 * // A module of its own: export const checks = ...
 * const checks = {
 *   quota: Effect.succeed(97).pipe(
 *     Effect.map((percent) =>
 *       percent > 90
 *         ? Doctor.warning(`The mailbox is ${percent} % full.`, "Delete old messages.")
 *         : Doctor.ok(`The mailbox is ${percent} % full.`)
 *     )
 *   )
 * }
 *
 * const MailPlugin = Plugin.make("company:mail", {
 *   contributes: [Doctor.make("mail", { load: () => Promise.resolve({ checks }) })]
 * })
 * const [mail] = App.describe(App.make("shop", [MailPlugin])).plugins
 * mail?.contributions.map(({ kind, name }) => `${kind} ${name}`) // => ["doctor mail"]
 * ```
 */
export const make = <const Name extends string, const C extends Checks<any>>(
  name: Name,
  options: {
    /** Imports the module of the checks, when the command runs. */
    readonly load: () => Promise<{ readonly checks: C }>
    /** Values of the configuration that acquiring the app for the checks needs. Default: none. */
    readonly overrides?: object | undefined
  }
): Contribution.Open<"doctor", Settings, Effect.Effect<Checks<never>>, never, RequiredBy<C>> =>
  Contribution.open(
    kind.name,
    name,
    { overrides: options.overrides ?? {} },
    (services: Context.Context<RequiredBy<C>>) =>
      Effect.succeed(
        Effect.map(Effect.promise(options.load), ({ checks }) =>
          Object.fromEntries(
            Object.entries<Effect.Effect<Finding, unknown, RequiredBy<C>>>(checks).map(
              ([check, effect]) => [check, Effect.provideContext(effect, services)]
            )
          )
        )
      )
  )
