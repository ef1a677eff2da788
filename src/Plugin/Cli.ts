/**
 * Commands of the command line `flange` that plugins bring. A command is one of `effect/cli`; it is
 * loaded when it is called, so a server never loads it.
 */
import type * as Command from "effect/cli/Command"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as AppDefinition from "./AppDefinition.ts"
import type { AppRuntime } from "./AppRuntime.ts"
import * as Contribution from "./Contribution.ts"

/** The module of a command. */
export interface Loaded {
  readonly command: Command.Command.Any
}

/** A command that is not loaded yet. */
export interface LazyCommand {
  readonly load: () => Promise<Loaded>
}

/** The kind of commands. */
export const kind = Contribution.kind<LazyCommand>()("command")

/**
 * A command cannot do what it was asked. The command line prints the reason on stderr, without a
 * stack.
 */
export class CommandError extends Data.TaggedError("CommandError")<{
  readonly cause?: unknown
  /** 1 if the command failed, 2 if an argument or a file that it names cannot be used. */
  readonly exitCode: 1 | 2
  /** What is wrong, and what to write or do instead. */
  readonly reason: string
}> {
  override get message(): string {
    return this.reason
  }
}

type AnyKey = Context.Key<any, any>

/** The app that the command line found, for the commands of its plugins. */
export interface CurrentAppShape {
  readonly app: AppDefinition.Any
  /**
   * Runs an effect with services of the app: acquires the plugins that provide `requires` and those
   * that these require, runs the effect, and releases them. Nothing listens, and no `ready` runs.
   * Without `requires` it acquires all plugins. Their output goes to stderr.
   *
   * `overrides` are values of configuration sections that win over every other source.
   *
   * Fails with `CommandError` if the app cannot be acquired, and if no plugin provides a service in
   * `requires`.
   */
  readonly run: <A, E, const Keys extends ReadonlyArray<AnyKey> = readonly []>(
    effect: Effect.Effect<A, E, AppRuntime | Context.Service.Identifier<Keys[number]>>,
    options?: {
      /** Values of the configuration that win over every other source. */
      readonly overrides?: object | undefined
      /** The services that the effect uses. Default: all of the app. */
      readonly requires?: Keys
    }
  ) => Effect.Effect<A, CommandError | E>
}

/** The app of the command line. It provides the app to the commands of plugins. */
export class CurrentApp extends Context.Service<CurrentApp, CurrentAppShape>()(
  "flange/Cli/CurrentApp"
) {}

/**
 * Creates a command of the command line `flange`, for the option `contributes` of a plugin. `load`
 * imports the module that exports `command`, a command of `effect/cli` with the same name. It may use
 * `Cli.CurrentApp`.
 *
 * @example
 * ```ts
 * import * as Command from "effect/cli/Command"
 * import * as Console from "effect/Console"
 * import * as Effect from "effect/Effect"
 * import { App, Cli, Plugin } from "flange"
 *
 * // A module of its own: export const command = ...
 * const command = Command.make("owner", {}, () =>
 *   Effect.flatMap(Cli.CurrentApp, ({ app }) => Console.log(`The platform team owns ${app.id}.`)))
 *
 * const OwnerPlugin = Plugin.make("company:owner", {
 *   contributes: [Cli.make("owner", { load: () => Promise.resolve({ command }) })]
 * })
 * const [owner] = App.describe(App.make("shop", [OwnerPlugin])).plugins
 * owner?.contributions.map(({ kind, name }) => `${kind} ${name}`) // => ["command owner"]
 * ```
 */
export const make = <
  const Name extends string,
  Input,
  ContextInput,
  E,
  R extends Command.Environment | CurrentApp = never
>(
  name: Name,
  options: {
    /** Imports the module of the command, when the command is called. */
    readonly load: () => Promise<{
      readonly command: Command.Command<Name, Input, ContextInput, E, R>
    }>
  }
): Contribution.Open<"command", LazyCommand, void> => kind.make(name, options)
