/** The files of a feature that is created, listed, read, replaced, updated and removed. */
import { posix } from "node:path"
import * as Result from "effect/Result"
import * as ContractFile from "./ContractFile.ts"
import type { Field } from "./Fields.ts"
import * as MemoryRepoFile from "./MemoryRepoFile.ts"
import * as MigrationFile from "./MigrationFile.ts"
import * as Names from "./Names.ts"
import * as PluginFile from "./PluginFile.ts"
import * as RepoFile from "./RepoFile.ts"
import * as RowFile from "./RowFile.ts"
import * as SchemaFile from "./SchemaFile.ts"
import * as TestFile from "./TestFile.ts"

/** What a feature is, and where its files are. */
export interface CrudSpec {
  readonly access: ContractFile.Access
  /** The file of the app, relative to the project; `app.ts` in `root` if absent. */
  readonly app?: string | undefined
  /** The name of the export of the app; `app` if absent. */
  readonly appName?: string | undefined
  /** The names of the chains of authentication, except `default`; if absent, there are none. */
  readonly chains?: ReadonlyArray<string> | undefined
  readonly fields: ReadonlyArray<Field>
  /** The number of the migration, such as `0001`. */
  readonly migration: string
  /** The plural name, such as `orders`. */
  readonly name: string
  /** The folder of the features, such as `src`, or `.`. */
  readonly root: string
  /** The singular name; that of `name` if absent. */
  readonly singular?: string | undefined
  readonly store: "database" | "memory"
  /** The folder of the tests, such as `test`. */
  readonly tests: string
}

/** Returns the import of a file in a file of a folder, such as `../src/app.ts`. */
export const importOf = (file: string, folder: string): string => {
  const path = posix.relative(folder, file)
  return path.startsWith(".") ? path : `./${path}`
}

/** Returns where the tests of a feature find what they import. */
export const places = (
  spec: Pick<CrudSpec, "app" | "appName" | "chains" | "root" | "tests"> & {
    readonly access?: ContractFile.Access
  },
  folder: string
): TestFile.Places => ({
  app: importOf(spec.app ?? posix.join(spec.root, "app.ts"), spec.tests),
  appName: spec.appName ?? "app",
  chains: spec.chains ?? (spec.access === "protected" ? [] : undefined),
  folder: importOf(folder, spec.tests)
})

/**
 * Returns the files by their paths, which are relative to the project. Throws a sentence if the name
 * cannot be used.
 */
export const files = (spec: CrudSpec): Readonly<Record<string, string>> => {
  const { access, fields, root, store, tests } = spec
  const names = Result.getOrThrow(Names.names(spec.name, spec.singular))
  const { plural, singular } = names
  const many = plural.pascal
  const folder = posix.join(root, plural.kebab)
  const at = (name: string) => posix.join(folder, `${name}.ts`)
  const hasOptional = fields.some(({ isOptional }) => isOptional)
  const common = {
    [at(singular.pascal)]: SchemaFile.text(names, fields),
    [at(`${many}Api`)]: ContractFile.text(names, access, hasOptional),
    [at(`${many}Plugin`)]: PluginFile.text(names, access, store),
    [posix.join(tests, `${plural.kebab}.test.ts`)]: TestFile.text(
      names,
      access,
      fields,
      places(spec, folder)
    )
  }
  if (store === "memory")
    return { ...common, [at(`${many}Repo`)]: MemoryRepoFile.text(names, fields) }
  const { extension, text } = MigrationFile.make(names, fields)
  const migration = `${spec.migration}_${plural.snake}.${extension}`
  return {
    ...common,
    [at(`${many}Repo`)]: RepoFile.text(names, fields),
    [at(`${singular.pascal}Row`)]: RowFile.text(names, fields),
    [posix.join(root, "migrations", migration)]: text
  }
}
