/** The options of `Config.load`. */
import type { AnySection } from "./Section.ts"

/** Default values of a plugin. The configuration of the app overrides them. */
export interface Defaults {
  /** The id of the plugin, which names the source of the values. */
  readonly plugin: string
  /** An object with one key per section, or a function that returns it for an environment. */
  readonly values: ((environment: string) => object) | object
}

/** Where `load` takes the configuration from. */
export interface LoadOptions<Sections extends ReadonlyArray<AnySection>> {
  /** Defaults of plugins, in the order of the plugins: later ones win. Default: none. */
  readonly defaults?: ReadonlyArray<Defaults> | undefined
  /** Where to look for `flange.toml`, `.yaml`, `.yml` or `.json`. Default: the working directory. */
  readonly directory?: string | undefined
  /**
   * Whether `.env` and `.env.<environment>` of the directory are read, in the environments `local`
   * and `test`. Default: false; an app that runs reads them.
   */
  readonly envFiles?: boolean | undefined
  /** The environment. Default: the variable `FLANGE_ENV`, then `env` in the file, then `local`. */
  readonly environment?: string | undefined
  /**
   * The file to read; `directory` is then not searched. A file that does not exist is a problem.
   */
  readonly file?: string | undefined
  /** Values that win over every other source, for code and tests. Default: none. */
  readonly overrides?: object | undefined
  /** The sections to decode. Two different sections with the same name are a problem. */
  readonly sections: Sections
  /** Configuration in code instead of a file: the same shape, with `env` and `environments`. */
  readonly values?: object | undefined
  /** Environment variables, usually `process.env`. Default: none. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
}
