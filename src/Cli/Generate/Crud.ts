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
  /** The file of the app, relative to the project, and the name of its export. */
  readonly app?: { readonly file: string; readonly name: string } | undefined
  readonly fields: ReadonlyArray<Field>
  /** The number of the migration, such as `0001`. */
  readonly migration: string
  /** The plural name, such as `orders`. */
  readonly name: string
  /** The folder of the features, such as `src`, or `.`. */
  readonly root: string
  readonly singular?: string | undefined
  readonly store: "database" | "memory"
  /** The folder of the tests, such as `test`. */
  readonly tests: string
}

/** Returns the import of a file in a file of a folder: `../src/app.ts`. */
export const relative = (folder: string, file: string): string => {
  const path = posix.relative(folder, file)
  return path.startsWith(".") ? path : `./${path}`
}

/** Returns the files by their paths, relative to the project. Throws a sentence if a name cannot be used. */
export const files = (spec: CrudSpec): Readonly<Record<string, string>> => {
  const { access, fields, root, store, tests } = spec
  const names = Result.getOrThrow(Names.names(spec.name, spec.singular))
  const { plural, singular } = names
  const many = plural.pascal
  const folder = posix.join(root, plural.kebab)
  const { file, name } = spec.app ?? { file: posix.join(root, "app.ts"), name: "app" }
  const places = {
    app: relative(tests, file),
    appName: name,
    folder: relative(tests, folder)
  }
  const hasOptional = fields.some(({ isOptional }) => isOptional)
  const migration = MigrationFile.make(names, fields)
  return {
    [posix.join(folder, `${singular.pascal}.ts`)]: SchemaFile.text(names, fields),
    [posix.join(folder, `${many}Api.ts`)]: ContractFile.text(names, access, hasOptional),
    [posix.join(folder, `${many}Plugin.ts`)]: PluginFile.text(names, access, store),
    [posix.join(tests, `${plural.kebab}.test.ts`)]: TestFile.text(names, access, fields, places),
    ...(store === "memory"
      ? { [posix.join(folder, `${many}Repo.ts`)]: MemoryRepoFile.text(names, fields) }
      : {
          [posix.join(folder, `${many}Repo.ts`)]: RepoFile.text(names, fields),
          [posix.join(folder, `${singular.pascal}Row.ts`)]: RowFile.text(names, fields),
          [posix.join(
            root,
            "migrations",
            `${spec.migration}_${plural.snake}.${migration.extension}`
          )]: migration.text
        })
  }
}
