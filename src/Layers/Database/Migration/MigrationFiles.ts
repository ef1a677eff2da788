/** Reads migrations from files such as `0001_create_items.sql` and `0002_fill.ts`. */

import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type * as SqlClient from "effect/sql/SqlClient"
import { MigrationError } from "./MigrationError.ts"

/** The effect of a migration in TypeScript or JavaScript. */
export type Run = Effect.Effect<unknown, unknown, SqlClient.SqlClient>

/** A migration as it was read from its file. */
export interface Migration {
  /** SHA-256 of the file. Different line ends do not change it. */
  readonly checksum: string
  readonly id: number
  /** The name of the file. */
  readonly name: string
  /** The statements of a `.sql` file, or the default export of a module. */
  readonly step: { readonly run: Run } | { readonly script: string }
  /** Whether it runs in a transaction. */
  readonly transaction: boolean
}

const pattern = /^(\d+)_[\w-]+\.(js|mjs|mts|sql|ts)$/

const optOut = /^--[ \t]*flange:[ \t]*no transaction[ \t]*$/i

const invalid = (migration: string, reason: string, cause?: unknown) =>
  new MigrationError({
    migration,
    problem: "invalid",
    reason,
    ...(cause === undefined ? {} : { cause })
  })

const list = async (directory: string): Promise<ReadonlyArray<string>> => {
  try {
    return await readdir(directory)
  } catch (cause) {
    if (hasProperty(cause, "code") && cause.code === "ENOENT") return []
    throw invalid(directory, "the directory cannot be read", cause)
  }
}

const load = async (path: string, name: string) => {
  const module: object = await import(pathToFileURL(path).href)
  const run = hasProperty(module, "default") ? module.default : undefined
  if (!Effect.isEffect(run)) {
    throw invalid(
      name,
      "its default export is not an Effect. Write: export default Effect.gen(...)"
    )
  }
  return {
    // The type of another module is unknown: a service it lacks fails when the migration runs.
    step: { run: run as Run },
    transaction: !(hasProperty(module, "transaction") && module.transaction === false)
  }
}

const read = async (directory: string, name: string, id: number): Promise<Migration> => {
  const path = join(directory, name)
  const text = (await readFile(path, "utf8")).replaceAll("\r\n", "\n")
  const checksum = createHash("sha256").update(text).digest("hex")
  if (!name.endsWith(".sql")) return { checksum, id, name, ...(await load(path, name)) }
  const transaction = !optOut.test(text.slice(0, text.indexOf("\n")))
  return { checksum, id, name, step: { script: text }, transaction }
}

const pathOf = (directory: string | URL): string => {
  if (typeof directory === "string") return resolve(directory)
  if (directory.protocol === "file:") return resolve(fileURLToPath(directory))
  throw invalid(
    directory.href,
    'it is not the URL of a directory. Write: new URL("../migrations", import.meta.url)'
  )
}

/** A file with the name of a migration. */
interface Found {
  readonly directory: string
  readonly id: number
  readonly name: string
}

const find = async (directory: string): Promise<ReadonlyArray<Found>> =>
  (await list(directory))
    .filter((name) => !name.endsWith(".d.ts") && !name.endsWith(".d.mts"))
    .flatMap((name) => {
      const id = pattern.exec(name)?.[1]
      if (id !== undefined) return [{ directory, id: Number(id), name }]
      if (!/^\d/.test(name) || name.endsWith(".map")) return []
      throw invalid(
        name,
        "the name is not understood. Write a number, an underscore and a name, such as 0001_create_items.sql"
      )
    })

const files = async (
  directories: ReadonlyArray<string | URL>
): Promise<ReadonlyArray<Migration>> => {
  // A plugin and the configuration may name the same directory.
  const paths = [...new Set(directories.map(pathOf))]
  const found = (await Promise.all(paths.map(find)))
    .flat()
    .sort((a, b) => a.id - b.id || (a.name < b.name ? -1 : 1))
  const [twin, second] =
    found
      .map((file, index) => [file, found[index + 1]] as const)
      .find(([file, next]) => file.id === next?.id) ?? []
  if (twin !== undefined && second !== undefined) {
    const other =
      twin.directory === second.directory ? second.name : join(second.directory, second.name)
    throw new MigrationError({
      migration: twin.name,
      problem: "duplicate",
      reason: `${other} has the same number. Give one of them the next free number.`
    })
  }
  const migrations: Array<Migration> = []
  for (const { directory, id, name } of found) {
    try {
      migrations.push(await read(directory, name, id))
    } catch (cause) {
      if (cause instanceof MigrationError) throw cause
      throw invalid(
        name,
        `it cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause
      )
    }
  }
  return migrations
}

/**
 * Reads the migrations of the directories, in the order of their numbers. A
 * directory that does not exist counts as empty. Files whose name does not begin
 * with a number are ignored.
 *
 * Fails with `MigrationError` if two files have the same number, if a name is not
 * understood, or if a file cannot be loaded.
 */
export const fromDirectories = (
  directories: ReadonlyArray<string | URL>
): Effect.Effect<ReadonlyArray<Migration>, MigrationError> =>
  Effect.tryPromise({
    catch: (cause) =>
      cause instanceof MigrationError
        ? cause
        : invalid(directories.join(", "), String(cause), cause),
    try: () => files(directories)
  })
