/** The errors of the battery. */
import * as Schema from "effect/Schema"

/** The app has no job of this name. */
export class JobUnknown extends Schema.TaggedError<JobUnknown>()("JobUnknown", {
  job: Schema.String,
  jobs: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `The app has no job "${this.job}". It has: ${this.jobs.join(", ") || "none"}.`
  }
}

/** A run of the job runs already. */
export class JobBusy extends Schema.TaggedError<JobBusy>()("JobBusy", { job: Schema.String }) {
  override get message(): string {
    return `A run of the job "${this.job}" runs already. Wait until it has ended.`
  }
}

/** The table of runs cannot be used. */
export class JobStoreError extends Schema.TaggedError<JobStoreError>()("JobStoreError", {
  cause: Schema.Defect(),
  operation: Schema.String
}) {
  override get message(): string {
    return `The runs of jobs could not be read or written (${this.operation}).`
  }
}

/** The plugin cannot be the runner that the configuration chooses. */
export class JobsRunnerError extends Schema.TaggedError<JobsRunnerError>()("JobsRunnerError", {
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}
