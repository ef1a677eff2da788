/**
 * SQL databases: PostgreSQL, MySQL, MariaDB, and PGlite inside the process.
 * Plugins use them through `SqlClient` of `effect/sql/SqlClient`.
 */

export { type ConnectError } from "./Connect.ts"
export { type Isolation, Transactional, type TransactionalOptions } from "./Contract.ts"
export { DatabaseConfig, type Settings } from "./DatabaseConfig.ts"
export { layer, plugin, type StartError } from "./DatabasePlugin.ts"
export { DatabaseUnreachable, DataDirectoryError, DriverMissing } from "./Errors.ts"
export { layerMemory } from "./Memory.ts"
export {
  baseline as baselineMigrations,
  migrate,
  status as migrationStatus,
  repair as repairMigrations
} from "./Migration/MigrationActions.ts"
export { MigrationError, MigrationProblem } from "./Migration/MigrationError.ts"
export { type Options as MigrationOptions, run as runMigrations } from "./Migration/Migrations.ts"
export { type PgDecoder, pgType } from "./Postgres/PgType.ts"
export { type Changes, type Table, table } from "./Table.ts"
export { autocommit } from "./Transaction/Autocommit.ts"
export { applicationName } from "./Transaction/Correlation.ts"
export { InTransaction } from "./Transaction/InTransaction.ts"
export { NotInTransaction } from "./Transaction/NotInTransaction.ts"
export { outsideTransaction } from "./Transaction/Outside.ts"
export { transactional } from "./Transaction/Transactional.ts"
export { TransactionEnded } from "./Transaction/TransactionEnded.ts"
