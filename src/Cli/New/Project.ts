/** What the files of a built-in template are made from. */

/** The text of each file of a project, by its path with slashes. */
export type Files = Readonly<Record<string, string>>

/** A plugin of an organisation that the app of a new project lists. */
export interface ExtraPlugin {
  /** The package that exports it, such as `@acme/flange`. */
  readonly from: string
  /** The name of the export. */
  readonly name: string
  /** The version of the package for `package.json`. */
  readonly version: string
}

/** A project of a built-in template. */
export interface Project {
  /** How callers of the sample endpoints authenticate. */
  readonly auth: "api-key" | "jwt" | "none"
  /** The database; with `none`, the sample endpoints keep their data in memory. */
  readonly db: "mysql" | "none" | "pglite" | "postgres"
  /** What `package.json` has as the version of Flange. */
  readonly flange: string
  readonly name: string
  /** Plugins that the app lists besides those of the template. */
  readonly plugins: ReadonlyArray<ExtraPlugin>
  readonly template: "api" | "full" | "minimal"
}

/** The answers of the built-in templates, if none are given. */
export const defaults = {
  api: { auth: "jwt", db: "pglite" },
  full: { auth: "jwt", db: "postgres" },
  minimal: { auth: "none", db: "none" }
} as const satisfies Record<Project["template"], Pick<Project, "auth" | "db">>
