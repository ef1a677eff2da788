/** What a plugin may know about the app it runs in. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as HttpApi from "effect/http-api/HttpApi"
import type * as Action from "./Action.ts"
import type { BootTree } from "./BootTree.ts"
import type * as Contribution from "./Contribution.ts"
import type { Description } from "./Description.ts"
import type { HealthCheck } from "./HealthCheck.ts"

/** Where an app stands between its first and its last moment. */
export type Status = "draining" | "ready" | "starting" | "stopped"

/** A contributed health check, bound to the services of its app. */
export interface BoundHealthCheck extends HealthCheck {
  /** The component's name, as the plugin wrote it. */
  readonly name: string
  /** The id of the plugin that contributed it. */
  readonly plugin: string
}

/** What the app section of the configuration and the plugin list say about the app. */
export interface AppRuntimeShape {
  /** Every action that a plugin implements. Complete from the ready phase on. */
  readonly actions: ReadonlyArray<Action.Registered>
  /** The contract of all the groups of all the plugins, as in `app.api`. */
  readonly api: HttpApi.Top
  /** Phases and durations so far. */
  readonly bootTree: Effect.Effect<BootTree>
  /** ISO time of the build, from `app.buildDate`. */
  readonly buildDate: string | undefined
  /** Source revision, from `app.commit`. */
  readonly commit: string | undefined
  /**
   * Returns what plugins contributed of a kind, in plugin order. The list grows while
   * plugins are acquired; it is complete from the ready phase on.
   */
  readonly contributions: <Name extends string, Data, Value>(
    kind: Contribution.Kind<Name, Data, Value>
  ) => ReadonlyArray<Contribution.Contributed<Data, Value>>
  /** Plugins, order and contributions as data. */
  readonly description: Description
  /** The configuration's environment: `local`, `test`, `production`, ... */
  readonly environment: string
  /** Every contributed health check. Complete from the ready phase on. */
  readonly healthChecks: ReadonlyArray<BoundHealthCheck>
  /** The id given to `App.make`. */
  readonly id: string
  /** `app.name`, else the id. */
  readonly name: string
  /** Unix milliseconds at which the app began to boot. */
  readonly startedAt: number
  /** Where the app stands now. */
  readonly status: Effect.Effect<Status>
  /** `app.version`, else `0.0.0`. */
  readonly version: string
}

/**
 * The app a plugin runs in. Provided to every plugin by the boot engine, in all
 * phases from acquire on; it is never listed in `requires`.
 */
export class AppRuntime extends Context.Service<AppRuntime, AppRuntimeShape>()(
  "flange/AppRuntime"
) {}
