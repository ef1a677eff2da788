/** The sources of an app's configuration. */

/** Names the sources that the configuration of an app is read from. */
export interface ConfigSource {
  /** The folder in which `flange.toml`, `.yaml`, `.yml` or `.json` is looked for. */
  readonly directory?: string | undefined
  /**
   * Whether `.env` and `.env.<environment>` of the folder are read, in the environments `local` and
   * `test`. `App.run` and the other functions of `App` read them, `TestApp` does not.
   */
  readonly envFiles?: boolean | undefined
  /** The environment's name; overrides `FLANGE_ENV`. */
  readonly environment?: string | undefined
  /** A file, instead of a folder. */
  readonly file?: string | undefined
  /** Values that override every other source. */
  readonly overrides?: object | undefined
  /** Values in code, instead of a file. */
  readonly values?: object | undefined
  /** Environment variables. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
}
