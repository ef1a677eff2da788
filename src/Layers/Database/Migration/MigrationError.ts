/** The error of migrations that were not applied. */
import * as Schema from "effect/Schema"

/**
 * Why the migrations were not applied.
 *
 * - `changed`: the file was edited or replaced after it had been applied
 * - `duplicate`: two files have one number
 * - `failed`: a statement, or the effect of a `.ts` migration, failed
 * - `invalid`: the file cannot be used as a migration
 * - `late`: the number is below that of an applied migration
 * - `missing`: no file has the number of an applied migration, or the directory does not exist
 */
export const MigrationProblem = Schema.Literals([
  "changed",
  "duplicate",
  "failed",
  "invalid",
  "late",
  "missing"
])

/** Not all migrations were applied. Names the migration that is the cause. */
export class MigrationError extends Schema.TaggedError<MigrationError>()("MigrationError", {
  cause: Schema.optionalKey(Schema.Defect()),
  /** The name of the file, such as `0002_add_price.sql`. */
  migration: Schema.String,
  problem: MigrationProblem,
  /** What happened, and what to do. */
  reason: Schema.String
}) {
  override get message(): string {
    return `Migration ${this.migration}: ${this.reason}`
  }
}
