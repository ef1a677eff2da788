/** The errors with which the cluster stops the boot. */
import * as Schema from "effect/Schema"

/** The pool of the database has fewer than two connections. */
export class ClusterPoolTooSmall extends Schema.TaggedError<ClusterPoolTooSmall>()(
  "ClusterPoolTooSmall",
  { cause: Schema.Defect() }
) {
  override get message(): string {
    return "Cluster.plugin could not get two connections of the database at the same time. It keeps one for its locks as long as the process runs. Set database.maxConnections to 2 or more, or raise database.acquireTimeout if the server is slow."
  }
}

/** The database did not answer, or refused, while the cluster was opened. */
export class ClusterUnavailable extends Schema.TaggedError<ClusterUnavailable>()(
  "ClusterUnavailable",
  {
    cause: Schema.Defect(),
    /** What the database or its driver reported. */
    reason: Schema.String
  }
) {
  override get message(): string {
    return `Cluster.plugin cannot open its tables in the database: ${this.reason}. Start the server again, or let the role of database.url create tables.`
  }
}

/** The database is neither PostgreSQL nor PGlite. */
export class ClusterDialectError extends Schema.TaggedError<ClusterDialectError>()(
  "ClusterDialectError",
  { dialect: Schema.String }
) {
  override get message(): string {
    return `Cluster.plugin works on PostgreSQL and PGlite, and the database of the app is ${this.dialect}. Set database.url to postgres://... or pglite://....`
  }
}
