/** The running app as its plugins see it. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as HttpApi from "effect/http-api/HttpApi"
import type { Configuration } from "../Config/Report/Report.ts"
import type { BootTree } from "./BootTree.ts"
import type * as Contribution from "./Contribution.ts"
import type { AppDescription } from "./Description.ts"
import type { Role } from "./Role.ts"

/** The state of an app. It is `ready` from the end of the ready phase to the start of the drain. */
export type Status = "draining" | "ready" | "starting" | "stopped"

/** The service `AppRuntime`. */
export interface AppRuntimeShape {
  /** The contract of all the groups of all the plugins, as in `app.api`. */
  readonly api: HttpApi.Top
  /** The phases so far, with their durations. */
  readonly bootTree: Effect.Effect<BootTree>
  /** ISO time of the build, from `app.buildDate`. */
  readonly buildDate: string | undefined
  /** Source revision, from `app.commit`. */
  readonly commit: string | undefined
  /** Every key of the configuration: its value and where it comes from. Secrets are masked. */
  readonly configuration: Effect.Effect<Configuration>
  /**
   * Returns the contributions of a kind, such as `HealthCheck.kind` or `Action.kind`, that this
   * process carries out, in plugin order. The list grows while plugins are acquired; it is complete from the ready
   * phase on.
   */
  readonly contributions: <Name extends string, Data, Value>(
    kind: Contribution.Kind<Name, Data, Value>
  ) => ReadonlyArray<Contribution.Contributed<Data, Value>>
  /** Plugins, order and contributions as data. */
  readonly description: AppDescription
  /** The configuration's environment: `local`, `test`, `production`, ... */
  readonly environment: string
  /** The id given to `App.make`. */
  readonly id: string
  /** `app.name`, or the id if there is no name. */
  readonly name: string
  /** The role of this process, from `app.role`. */
  readonly role: "all" | Role
  /** Unix milliseconds at which the app began to boot. */
  readonly startedAt: number
  /** The state of the app now. */
  readonly status: Effect.Effect<Status>
  /** `app.version`, by default `0.0.0`. */
  readonly version: string
}

/**
 * The app in which a plugin runs. Boot provides it to every plugin from the acquire phase
 * on, so a plugin does not list it in `requires`.
 */
export class AppRuntime extends Context.Service<AppRuntime, AppRuntimeShape>()(
  "flange/AppRuntime"
) {}
