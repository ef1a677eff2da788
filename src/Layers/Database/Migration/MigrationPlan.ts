/** Compares the files of migrations with the applied ones. */
import * as Schema from "effect/Schema"
import { MigrationError } from "./MigrationError.ts"
import type { Migration } from "./MigrationFiles.ts"
import type { Applied } from "./MigrationTable.ts"

/**
 * A problem that an app may allow.
 *
 * - `late`: a migration whose number is below that of an applied one is applied too
 * - `missing`: an applied migration may have no file, as in an older version of the app
 */
export const Allowance = Schema.Literals(["late", "missing"])

/** The state of one migration. */
export interface Planned {
  readonly applied: Applied | undefined
  readonly file: Migration | undefined
  readonly name: string
  readonly state: "applied" | "changed" | "late" | "missing" | "pending"
}

const title = (name: string): string => name.replace(/\.\w+$/, "")

const isCode = (name: string): boolean => !name.endsWith(".sql")

/** Whether a file is the applied one. A `.ts` file may have become a `.js` file. */
const isSame = (file: Migration, applied: Applied): boolean =>
  file.checksum === applied.checksum ||
  (isCode(file.name) &&
    isCode(applied.name) &&
    file.name !== applied.name &&
    title(file.name) === title(applied.name))

const compare = (a: { readonly id: bigint }, b: { readonly id: bigint }): number =>
  a.id < b.id ? -1 : 1

/** Returns the state of every file and every applied migration, in the order of their numbers. */
export const plan = (
  files: ReadonlyArray<Migration>,
  applied: ReadonlyArray<Applied>
): ReadonlyArray<Planned> => {
  const rows = new Map(applied.map((row) => [row.id, row]))
  const last = applied.at(-1)
  const ofFiles = files.map((file) => {
    const row = rows.get(file.id)
    rows.delete(file.id)
    const isLate = last !== undefined && file.id < last.id
    const state: Planned["state"] =
      row === undefined ? (isLate ? "late" : "pending") : isSame(file, row) ? "applied" : "changed"
    return { id: file.id, planned: { applied: row, file, name: file.name, state } }
  })
  const missing = [...rows.values()].map((row) => {
    const state: Planned["state"] = "missing"
    return { id: row.id, planned: { applied: row, file: undefined, name: row.name, state } }
  })
  return [...ofFiles, ...missing].sort(compare).map(({ planned }) => planned)
}

const problemOf = (
  { applied, name, state }: Planned,
  last: Applied | undefined
): MigrationError | undefined => {
  switch (state) {
    case "changed":
      return new MigrationError({
        migration: name,
        problem: state,
        reason: `it was applied as ${applied?.name} and has been edited since. Restore the file, and write the change as a new migration. If the database is right as it is, run flange migrate repair. If nobody needs its data, as on your machine, start with an empty database.`
      })
    case "late":
      return new MigrationError({
        migration: name,
        problem: state,
        reason: `it has a lower number than ${last?.name}, which was applied already. Give it a number above ${last?.id}, or allow "late" in database.allowMigrations.`
      })
    case "missing":
      return new MigrationError({
        migration: name,
        problem: state,
        reason:
          'it was applied, and no directory has its file. Restore the file, or allow "missing" in database.allowMigrations if an older version of the app may start. If nobody needs its data, as on your machine, start with an empty database.'
      })
    default:
      return undefined
  }
}

const misplaced = ({ file }: Planned): MigrationError | undefined =>
  file?.misplaced === undefined
    ? undefined
    : new MigrationError({
        migration: file.name,
        problem: "invalid",
        reason: `line ${file.misplaced} is a comment for Flange without an effect. The only one is: -- flange: no transaction. It must be the first line, with nothing before it.`
      })

/** Returns the migrations to apply, or the first problem that is not allowed. */
export const pending = (
  planned: ReadonlyArray<Planned>,
  allow: ReadonlyArray<typeof Allowance.Type>
): MigrationError | ReadonlyArray<Migration> => {
  const last = planned.findLast(({ applied }) => applied !== undefined)?.applied
  const allowed: ReadonlySet<string> = new Set(allow)
  const refused = planned.find(({ state }) => !allowed.has(state) && isProblem(state))
  if (refused !== undefined) return problemOf(refused, last)!
  const toApply = planned.filter(({ state }) => state === "late" || state === "pending")
  for (const one of toApply) {
    const problem = misplaced(one)
    if (problem !== undefined) return problem
  }
  return toApply.flatMap(({ file }) => (file === undefined ? [] : [file]))
}

const isProblem = (state: Planned["state"]): boolean => state !== "applied" && state !== "pending"
