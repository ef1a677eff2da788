/** The description of an app as data, known before anything is acquired. */

import type { Role } from "./Role.ts"

/** Describes one plugin of an app. */
export interface PluginDescription {
  /** Names of the configuration sections it reads. */
  readonly config: ReadonlyArray<string>
  /** Its contributions of all kinds; `data` is undefined for routes and middleware. */
  readonly contributions: ReadonlyArray<{
    readonly data: unknown
    readonly kind: string
    readonly name: string
    /** The roles of the processes that carry it out; undefined for all. */
    readonly roles: ReadonlyArray<Role> | undefined
  }>
  /** Names of the extension points that it declares. */
  readonly extensions: ReadonlyArray<string>
  readonly id: string
  /** The address of the directory of its SQL migrations. */
  readonly migrations: string | undefined
  readonly order: {
    readonly after: ReadonlyArray<string>
    readonly before: ReadonlyArray<string>
    readonly first: boolean
    readonly last: boolean
  }
  /** Keys of the services it provides. */
  readonly provides: ReadonlyArray<string>
  /** The public keys of its configuration sections, such as `shop.currency`. */
  readonly publicKeys: ReadonlyArray<string>
  /** Keys of the services it requires. */
  readonly requires: ReadonlyArray<string>
}

/** Describes an app: its plugins in the order in which they are acquired. */
export interface AppDescription {
  readonly id: string
  readonly plugins: ReadonlyArray<PluginDescription>
}
