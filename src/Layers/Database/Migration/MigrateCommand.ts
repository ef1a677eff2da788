/** `flange migrate`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { CurrentApp } from "../../../Plugin/Cli.ts"
import { json, print } from "../../../Plugin/Printing.ts"
import * as MigrationActions from "./MigrationActions.ts"

/** Without it, acquiring the plugin would apply the migrations, and fail where `repair` helps. */
const overrides = { database: { runMigrations: false } }

const flags = { json }

const run = Command.make(
  "run",
  flags,
  Effect.fn(function* ({ json }) {
    const { run } = yield* CurrentApp
    const requires = [MigrationActions.migrate] as const
    const done = yield* run(MigrationActions.migrate.call(), { overrides, requires })
    return yield* print(done, json, done.applied, "No migration was pending.")
  })
).pipe(Command.withDescription("Apply the pending migrations, and print their names"))

const status = Command.make(
  "status",
  flags,
  Effect.fn(function* ({ json }) {
    const { run } = yield* CurrentApp
    const requires = [MigrationActions.status] as const
    const all = yield* run(MigrationActions.status.call(), { overrides, requires })
    const lines = all.map(({ appliedAt, name, state }) =>
      [state.padEnd(7), name, ...(appliedAt === null ? [] : [appliedAt.toISOString()])].join("  ")
    )
    return yield* print(all, json, lines, "There are no migrations.")
  })
).pipe(
  Command.withDescription(
    "List the migrations: applied, changed since, late, missing its file, or pending"
  )
)

const repair = Command.make(
  "repair",
  flags,
  Effect.fn(function* ({ json }) {
    const { run } = yield* CurrentApp
    const requires = [MigrationActions.repair] as const
    const done = yield* run(MigrationActions.repair.call(), { overrides, requires })
    return yield* print(done, json, done.repaired, "No applied migration has changed.")
  })
).pipe(
  Command.withDescription(
    "Accept edited or renamed files of applied migrations. Runs no migration: only if the database is right without them"
  )
)

const baseline = Command.make(
  "baseline",
  {
    json,
    through: Argument.String("through").pipe(
      Argument.withDescription("The file of the last migration to record, such as 0001_items.sql")
    )
  },
  Effect.fn(function* ({ json, through }) {
    const { run } = yield* CurrentApp
    const requires = [MigrationActions.baseline] as const
    const done = yield* run(MigrationActions.baseline.call({ through }), { overrides, requires })
    return yield* print(done, json, done.recorded, "All of them were recorded before.")
  })
).pipe(
  Command.withDescription(
    "Record the migrations through a file as applied, without running them: for a database that has their tables"
  )
)

export const command = Command.make("migrate").pipe(
  Command.withDescription("Apply and inspect the migrations of the database"),
  Command.withSubcommands([baseline, repair, run, status])
)
