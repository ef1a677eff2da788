/** Reads migrations from files such as `0001_create_items.sql` and `0002_fill.ts`. */

import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as SqlClient from "effect/sql/SqlClient"
import * as Thrown from "../../../Config/Thrown.ts"
import { MigrationError } from "./MigrationError.ts"

/** The effect of a migration in TypeScript or JavaScript. */
export type Run = Effect.Effect<unknown, unknown, SqlClient.SqlClient>

/** A migration as it was read from its file. */
export interface Migration {
  /**
   * SHA-256 of the text. A byte order mark, other line ends and empty lines at the end do
   * not change it.
   */
  readonly checksum: string
  readonly id: bigint
  /** The line of a misplaced comment for Flange, which is not applied; undefined without such a line. */
  readonly misplaced: number | undefined
  /** The name of the file. */
  readonly name: string
  /** The statements of a `.sql` file, or the default export of a module. */
  readonly step: { readonly run: Run } | { readonly script: string }
  /** Whether it runs in a transaction. */
  readonly transaction: boolean
}

/** The migrations of directories. */
export interface Files {
  readonly migrations: ReadonlyArray<Migration>
  /** The files that are not migrations because of their name. */
  readonly skipped: ReadonlyArray<string>
}

const pattern = /^(\d+)_[\w-]+\.(js|mjs|mts|sql|ts)$/

/** What may lie beside migrations without a warning. */
const companion = /^\.|\.(d\.ts|d\.mts|map|md)$/

/** The largest number that a column of 64 bits can hold. */
const largest = 2n ** 63n - 1n

const optOut = /^--[ \t]*flange:[ \t]*no transaction[ \t]*$/i

const comment = /^[ \t]*(--|#|\/\*)[ \t]*flange[ \t]*:/i

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
    if (hasProperty(cause, "code") && cause.code === "ENOENT") {
      throw new MigrationError({
        migration: directory,
        problem: "missing",
        reason:
          "the directory does not exist. Ship it with the app, or correct database.migrations or the option migrations of the plugin."
      })
    }
    throw invalid(directory, "the directory cannot be read", cause)
  }
}

/** Whether a file with this name is a migration in TypeScript or JavaScript. */
export const isMigration = (name: string): boolean =>
  pattern.test(name) && !name.endsWith(".sql") && !companion.test(name)

/** Returns the checksum of a migration with this text. */
export const checksumOf = (text: string): string =>
  createHash("sha256")
    .update(
      `${text
        .replace(/^\uFEFF/, "")
        .replaceAll("\r\n", "\n")
        .trimEnd()}\n`
    )
    .digest("hex")

const BuiltFrom = Schema.Struct({ checksum: Schema.String, name: Schema.String })

/** What `flange build` says of the source of a migration that it bundled. */
const isBuiltFrom = Schema.is(BuiltFrom)

const load = async (path: string, name: string) => {
  const module: object = await import(pathToFileURL(path).href)
  const run = hasProperty(module, "default") ? module.default : undefined
  if (!Effect.isEffect(run)) {
    throw invalid(
      name,
      "its default export is not an Effect. Write: export default Effect.gen(...)"
    )
  }
  const builtFrom = hasProperty(module, "builtFrom") ? module.builtFrom : undefined
  return {
    ...(isBuiltFrom(builtFrom) ? builtFrom : {}),
    misplaced: undefined,
    // The type of another module is unknown: a service it lacks fails when the migration runs.
    step: { run: run as Run },
    transaction: !(hasProperty(module, "transaction") && module.transaction === false)
  }
}

const textOf = async (path: string, name: string): Promise<string> => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path))
    return text.replaceAll("\r\n", "\n")
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw invalid(
      name,
      "it is not UTF-8, so its letters would be stored wrong. Convert it, for example with: iconv -f latin1 -t utf-8"
    )
  }
}

const read = async (directory: string, name: string, id: bigint): Promise<Migration> => {
  const path = join(directory, name)
  const text = await textOf(path, name)
  const checksum = checksumOf(text)
  if (!name.endsWith(".sql")) return { checksum, id, name, ...(await load(path, name)) }
  const lines = text.split("\n")
  const transaction = !optOut.test(lines[0] ?? "")
  const misplaced = lines.findIndex(
    (line, index) => comment.test(line) && (transaction || index > 0)
  )
  return {
    checksum,
    id,
    misplaced: misplaced < 0 ? undefined : misplaced + 1,
    name,
    step: { script: text },
    transaction
  }
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
  readonly id: bigint
  readonly name: string
}

const idOf = (name: string): bigint | undefined => {
  const digits = pattern.exec(name)?.[1]
  if (digits === undefined) {
    if (!/^\d/.test(name)) return undefined
    throw invalid(
      name,
      "the name is not understood. Write a number, an underscore and a name, such as 0001_create_items.sql"
    )
  }
  const id = BigInt(digits)
  if (id <= largest) return id
  throw invalid(name, `its number is larger than ${largest}. Give it a smaller one.`)
}

/** Returns the file of a migration, or undefined for a name that is not one. */
const foundOf = (directory: string, name: string): Found | undefined => {
  const id = idOf(name)
  return id === undefined ? undefined : { directory, id, name }
}

const refuseTwins = (found: ReadonlyArray<Found>): void => {
  for (const [index, file] of found.entries()) {
    const next = found[index + 1]
    if (next?.id !== file.id) continue
    const other = file.directory === next.directory ? next.name : join(next.directory, next.name)
    throw new MigrationError({
      migration: file.name,
      problem: "duplicate",
      reason: `${other} has the same number. Give one of them the next free number.`
    })
  }
}

const files = async (directories: ReadonlyArray<string | URL>): Promise<Files> => {
  // A plugin and the configuration may name the same directory.
  const paths = [...new Set(directories.map(pathOf))]
  const found: Array<Found> = []
  const skipped: Array<string> = []
  for (const directory of paths) {
    for (const name of await list(directory)) {
      if (companion.test(name)) continue
      const file = foundOf(directory, name)
      if (file === undefined) skipped.push(join(directory, name))
      else found.push(file)
    }
  }
  found.sort((a, b) => (a.id === b.id ? (a.name < b.name ? -1 : 1) : a.id < b.id ? -1 : 1))
  refuseTwins(found)
  const migrations: Array<Migration> = []
  for (const { directory, id, name } of found) {
    try {
      migrations.push(await read(directory, name, id))
    } catch (cause) {
      if (cause instanceof MigrationError) throw cause
      throw invalid(name, `it cannot be loaded: ${Thrown.messageOf(cause)}`, cause)
    }
  }
  return { migrations, skipped: skipped.sort() }
}

/**
 * Reads the migrations of the directories, in the order of their numbers. A file is
 * skipped if its name does not begin with a number.
 *
 * Fails with `MigrationError` if a directory does not exist, if two files have the same
 * number, if a number has more than 63 bits, if a name is not understood, or if a file is
 * not UTF-8 or cannot be loaded.
 */
export const fromDirectories = (
  directories: ReadonlyArray<string | URL>
): Effect.Effect<Files, MigrationError> =>
  Effect.tryPromise({
    catch: (cause) =>
      cause instanceof MigrationError
        ? cause
        : invalid(directories.join(", "), String(cause), cause),
    try: () => files(directories)
  })
