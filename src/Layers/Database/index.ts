/**
 * SQL databases: PostgreSQL, MySQL, MariaDB, and PGlite inside the process.
 * What a plugin uses is `SqlClient` from `effect/sql/SqlClient`.
 */

export { type Isolation } from "./Begin.ts"
export { type ConnectError } from "./Connect.ts"
export { applicationName } from "./Correlation.ts"
export { DatabaseConfig, type Settings } from "./DatabaseConfig.ts"
export { layer, migrate, plugin, type StartError } from "./DatabasePlugin.ts"
export { DatabaseUnreachable, DataDirectoryError, DriverMissing } from "./Errors.ts"
export { layerMemory } from "./Memory.ts"
export { MigrationError, MigrationProblem } from "./MigrationError.ts"
export { run as runMigrations } from "./Migrations.ts"
export { outsideTransaction } from "./Outside.ts"
export { type Changes, type Table, table } from "./Table.ts"
export { Transactional, transactional, type TransactionalOptions } from "./Transactional.ts"
export { TransactionEnded } from "./TransactionEnded.ts"
