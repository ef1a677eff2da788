/** Test doubles of queues. */

export * as TestQueue from "./TestQueue.ts"
