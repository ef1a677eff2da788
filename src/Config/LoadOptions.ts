/** The options of `Config.load`. */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { AnySection } from "./Section.ts"

/** Default values of a plugin. The configuration of the app overrides them. */
export interface Defaults {
  /** The id of the plugin, which names the source of the values. */
  readonly plugin: string
  /** An object with one key per section, or a function that returns it for an environment. */
  readonly values: ((environment: string) => object) | object
}

/**
 * The values of all sections before they are decoded, as in a file: an object with one key per
 * section.
 */
export interface Values {
  readonly [section: string]: { readonly [key: string]: unknown } | undefined
}

/** A function of a plugin that changes the configuration of the app. */
export interface Change {
  /**
   * Returns the configuration from the merged values of all other sources and the name of the
   * environment. A key that the result lacks is removed. It may change the values it gets: they are
   * a copy. Undefined for a plugin that changes nothing.
   */
  readonly change: ((config: Values, environment: string) => object) | undefined
  /** The id of the plugin, which names the source of the changes. */
  readonly plugin: string
}

/** Reads the secret of a name. The message of its error has no value of a secret. */
export type ReadSecret = (
  name: string
) => Effect.Effect<Redacted.Redacted, { readonly message: string }>

/** Where `load` takes the configuration from. */
export interface LoadOptions<Sections extends ReadonlyArray<AnySection>> {
  /**
   * Functions that change the merged values, each the result of the one before. Only `overrides` win
   * over them. They do not run if a source cannot be read. Default: none.
   */
  readonly configure?: ReadonlyArray<Change> | undefined
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
  /**
   * Reads the secrets that values `secret:<name>` of secret keys name. With `"keep"` nothing is read, and
   * such a value stays as it is. Default: it is a problem.
   */
  readonly secret?: "keep" | ReadSecret | undefined
  /** The sections to decode. Two different sections with the same name are a problem. */
  readonly sections: Sections
  /** Configuration in code instead of a file: the same shape, with `env` and `environments`. */
  readonly values?: object | undefined
  /** Environment variables, usually `process.env`. Default: none. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
}
