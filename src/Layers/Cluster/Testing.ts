/** Test doubles of the cluster: `TestCluster` runs entities, singletons and workflows in memory. */

export * as TestCluster from "./TestCluster.ts"
