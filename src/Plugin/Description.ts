/** What an app is made of, as data, known before anything is acquired. */
/** One plugin of an app. */
export interface PluginDescription {
  readonly actions: ReadonlyArray<string>
  /** Names of the configuration sections it reads. */
  readonly config: ReadonlyArray<string>
  /** Contributions of open kinds. */
  readonly contributes: ReadonlyArray<{ readonly kind: string; readonly name: string }>
  /** Names of the extension points that it declares. */
  readonly extensions: ReadonlyArray<string>
  readonly healthChecks: ReadonlyArray<{ readonly class: string; readonly name: string }>
  readonly id: string
  readonly middleware: ReadonlyArray<string>
  readonly order: {
    readonly after: ReadonlyArray<string>
    readonly before: ReadonlyArray<string>
    readonly first: boolean
    readonly last: boolean
  }
  /** Keys of the services it provides. */
  readonly provides: ReadonlyArray<string>
  /** Keys of the services it requires. */
  readonly requires: ReadonlyArray<string>
  /** Names of its route groups. */
  readonly routes: ReadonlyArray<string>
}

/** An app: its plugins in the order in which they are acquired. */
export interface Description {
  readonly id: string
  readonly plugins: ReadonlyArray<PluginDescription>
}
