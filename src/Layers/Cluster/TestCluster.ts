/** A cluster of one process in memory. */
import type { MessageStorage } from "effect/cluster/MessageStorage"
import type { Sharding } from "effect/cluster/Sharding"
import * as TestRunner from "effect/cluster/TestRunner"
import * as Layer from "effect/Layer"
import * as WorkflowEngine from "effect/workflow/WorkflowEngine"

/**
 * Provides the services of `Cluster.plugin` in memory. Workflows run on the clock of the test:
 * `TestClock.adjust` ends a `DurableClock.sleep`. Nothing outlives the layer.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Workflow from "effect/workflow/Workflow"
 * import { TestCluster } from "flange/Cluster/Testing"
 *
 * const Greet = Workflow.make("Greet", {
 *   idempotencyKey: ({ name }) => name,
 *   payload: { name: Schema.String },
 *   success: Schema.String
 * })
 * const GreetLive = Greet.toLayer(({ name }) => Effect.succeed(`Hello, ${name}`))
 *
 * const greeting = Greet.execute({ name: "Ada" }).pipe(
 *   Effect.provide(GreetLive),
 *   Effect.provide(TestCluster.layer)
 * )
 * await Effect.runPromise(greeting) // => "Hello, Ada"
 * ```
 */
export const layer: Layer.Layer<MessageStorage | Sharding | WorkflowEngine.WorkflowEngine> =
  Layer.merge(TestRunner.layer, WorkflowEngine.layerMemory)
