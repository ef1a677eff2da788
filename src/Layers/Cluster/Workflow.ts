/** Workflows as contributions: a plugin brings the code of a workflow, and workers carry it out. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine, type WorkflowInstance } from "effect/workflow/WorkflowEngine"
import * as Contribution from "../../Plugin/Contribution.ts"

/** The kind of the contributions that carry out workflows. */
export const kind = "workflow"

/** The services that the code of a workflow gets from plugins. */
type Needs<Tag extends string, R> = Exclude<
  R,
  Scope.Scope | Workflow.Execution<Tag> | WorkflowEngine | WorkflowInstance
>

/**
 * Creates the contribution that carries out a workflow, for the option `contributes` of a plugin. It belongs
 * to the role `worker`: any process starts the workflow with `execute` of the workflow itself, and one with
 * this role runs `execute` of the contribution. The log lines of a run have its tag as `workflow`, and its
 * `executionId`.
 *
 * It is `toLayer` of the workflow in the acquire phase of its plugin, after the layer of the plugin, so
 * everything about workflows is that of `effect/workflow`. An exception of the code is a defect of the run, which
 * its caller gets.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Workflow from "effect/workflow/Workflow"
 * import { App, Plugin } from "flange"
 * import * as Cluster from "flange/Cluster"
 * import { TestCluster } from "flange/Cluster/Testing"
 * import * as Database from "flange/Database"
 * import { TestApp } from "flange/Testing"
 *
 * const Greet = Workflow.make("Greet", {
 *   idempotencyKey: ({ name }) => name,
 *   payload: { name: Schema.String },
 *   success: Schema.String
 * })
 * const GreetPlugin = Plugin.make("app:greet", {
 *   contributes: [Cluster.workflow(Greet, ({ name }) => Effect.succeed(`Hello, ${name}`))]
 * })
 * const app = App.make("greet", [Cluster.plugin, Database.plugin, GreetPlugin])
 *
 * const test = Effect.gen(function* () {
 *   const { run } = yield* TestApp.make(app, {
 *     replace: [
 *       [Cluster.plugin, TestCluster.layer],
 *       [Database.plugin, Database.layerMemory]
 *     ]
 *   })
 *   return yield* run(Greet.execute({ name: "Ada" }))
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => "Hello, Ada"
 * ```
 */
export const workflow = <
  Tag extends string,
  Payload extends Workflow.AnyStructSchema,
  Success extends Schema.Top,
  Error extends Schema.Top,
  R
>(
  definition: Workflow.Workflow<Tag, Payload, Success, Error>,
  /** The code of the workflow. It gets the payload and the id of the execution. */
  execute: (
    payload: Payload["Type"],
    executionId: string
  ) => Effect.Effect<Success["Type"], Error["Type"], R>
): Contribution.Open<
  typeof kind,
  undefined,
  void,
  never,
  | Needs<Tag, R>
  | Scope.Scope
  | Workflow.RequirementsHandler<Workflow.Workflow<Tag, Payload, Success, Error>>
  | WorkflowEngine,
  WorkflowEngine
> => {
  type Services =
    | Needs<Tag, R>
    | Scope.Scope
    | Workflow.RequirementsHandler<Workflow.Workflow<Tag, Payload, Success, Error>>
    | WorkflowEngine
  const layer = definition.toLayer((payload, executionId) =>
    Effect.suspend(() => execute(payload, executionId)).pipe(
      Effect.annotateLogs({ executionId, workflow: definition._tag })
    )
  )
  return Contribution.open(
    kind,
    definition._tag,
    undefined,
    (_: Context.Context<Services>) => Effect.asVoid(Layer.build(layer)),
    [WorkflowEngine],
    ["worker"]
  )
}
