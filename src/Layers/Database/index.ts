/**
 * SQL databases: PostgreSQL, MySQL, MariaDB, and PGlite inside the process.
 * What a plugin uses is `SqlClient` from `effect/sql/SqlClient`.
 */
export { type ConnectError } from "./Connect.ts"
export { DatabaseConfig, type Settings } from "./DatabaseConfig.ts"
export { DatabaseUnreachable, DataDirectoryError, DriverMissing } from "./Errors.ts"
export { layerMemory } from "./Memory.ts"
export { MigrationError, MigrationProblem } from "./MigrationError.ts"
export { run as runMigrations } from "./Migrations.ts"
export { layer, migrate, plugin, type StartError } from "./DatabasePlugin.ts"
