/** The errors with which opening the database stops the boot. */
import * as Schema from "effect/Schema"

/**
 * The server did not answer within `database.bootWait`, or refused with an error
 * that is not retryable. Names the server and the database, never the password.
 */
export class DatabaseUnreachable extends Schema.TaggedError<DatabaseUnreachable>()(
  "DatabaseUnreachable",
  {
    database: Schema.String,
    host: Schema.String,
    /** The last error message of the driver or the server. */
    reason: Schema.String,
    /** A description, such as `PostgreSQL at db:5432, database "shop"`. */
    target: Schema.String,
    /** How long the start waited, such as `20s`, or `0` if no server was asked. */
    waited: Schema.String
  }
) {
  override get message(): string {
    if (this.reason.includes("unsupported startup parameter")) {
      return (
        `Cannot use ${this.target}: ${this.reason}. PgBouncer refuses it. Name it in ` +
        "ignore_startup_parameters of PgBouncer, and set its value with `alter role`."
      )
    }
    // PostgreSQL and MySQL answer so: waiting for the server would not help.
    if (/\(SQLSTATE 3D000\)|\bUnknown database\b/.test(this.reason)) {
      return `Cannot use ${this.target}: ${this.reason}. Create the database, or correct DATABASE_URL.`
    }
    // Waiting would not help if no server was asked.
    return this.waited === "0"
      ? `Cannot use ${this.target}: ${this.reason}. Correct DATABASE_URL.`
      : `Cannot use ${this.target}: ${this.reason} (gave up after ${this.waited}). ` +
          "Start the server, correct DATABASE_URL, or raise database.bootWait."
  }
}

/** The driver of the URL is not installed, or cannot be loaded. */
export class DriverMissing extends Schema.TaggedError<DriverMissing>()("DriverMissing", {
  cause: Schema.Defect(),
  /** The packages to install. */
  packages: Schema.Array(Schema.String),
  target: Schema.String
}) {
  override get message(): string {
    const packages = this.packages.join(" ")
    return `Cannot use ${this.target}: ${packages} cannot be loaded. Run: npm install ${packages}`
  }
}

/** The data directory of PGlite is open in another process, or cannot be used. */
export class DataDirectoryError extends Schema.TaggedError<DataDirectoryError>()(
  "DataDirectoryError",
  {
    /** The process of the `flange dev` that keeps the directory open, if one does. */
    dev: Schema.UndefinedOr(Schema.Number),
    directory: Schema.String,
    /** The process that has the directory open, if there is one. */
    pid: Schema.UndefinedOr(Schema.Number),
    reason: Schema.String
  }
) {
  override get message(): string {
    const refused = `Cannot open the data directory ${this.directory}`
    if (this.pid === undefined) {
      return `${refused}: ${this.reason}. Make it writable, or set DATABASE_URL.`
    }
    const [owner, remedy] =
      this.dev === undefined
        ? [`process ${this.pid}`, "Stop that process"]
        : [
            `the flange dev of this project (process ${this.dev})`,
            "Stop it with Ctrl-C in its terminal"
          ]
    return `${refused}: ${owner} has it open, and PGlite serves one process. ${remedy}, or set DATABASE_URL to a server or to another pglite:// directory.`
  }
}
