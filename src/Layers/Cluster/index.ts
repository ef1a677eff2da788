/** Cluster: durable workflows, entities and singletons of processes that share PostgreSQL. */

export { ClusterConfig } from "./ClusterConfig.ts"
export { ClusterDialectError, ClusterPoolTooSmall, ClusterUnavailable } from "./ClusterErrors.ts"
export { plugin } from "./ClusterPlugin.ts"
export { workflow } from "./Workflow.ts"
