/** Jobs: effects that run by a schedule, once in a process or once among many. */

export * as Job from "./Job.ts"
export { Jobs, type JobsShape, type JobStatus } from "./Jobs.ts"
export { JobsConfig } from "./JobsConfig.ts"
export { JobBusy, JobsRunnerError, JobStoreError, JobUnknown } from "./JobsErrors.ts"
export { plugin, withCluster } from "./JobsPlugin.ts"
export type { Run, RunStatus } from "./RunStore.ts"
