/** Queues: work that is stored, and handled by workers at least once. */

export { type Failure } from "./Failure.ts"
export {
  type Attempt,
  type Definition,
  type Handle,
  type ItemOptions,
  kind,
  make,
  type Queue,
  type Worker
} from "./Queue.ts"
export { QueueConfig } from "./QueueConfig.ts"
export { QueueBackendError, QueueRefused } from "./QueueErrors.ts"
export { type Options, type RateLimit } from "./QueueOptions.ts"
export { plugin, withDatabase, withRedis } from "./QueuePlugin.ts"
export { type Enqueued, Queues, type QueuesShape } from "./Queues.ts"
export {
  type Claim,
  type Claimed,
  type ClaimOptions,
  type Item,
  type ListOptions,
  type Offer,
  type Outcome,
  type Page,
  QueueStore,
  QueueStoreError,
  type Settlement,
  type State,
  type Stats,
  type Store
} from "./QueueStore.ts"
