/** The battery as a plugin. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import { DynamoDb } from "./DynamoDb.ts"
import { DynamoDbConfig } from "./DynamoDbConfig.ts"
import { make } from "./Make.ts"

/** The package of AWS is not installed, or cannot be loaded. */
export class DynamoDbClientMissing extends Schema.TaggedError<DynamoDbClientMissing>()(
  "DynamoDbClientMissing",
  { cause: Schema.Defect() }
) {
  override get message(): string {
    return "DynamoDb.plugin needs a package that cannot be loaded. Run: npm install @aws-sdk/client-dynamodb. In a test without it, use the double: replace: [[DynamoDb.plugin, TestDynamoDb.layer()]]."
  }
}

/**
 * Provides `DynamoDb`: tables of DynamoDB with items of a schema. The package `@aws-sdk/client-dynamodb` is loaded
 * in the acquire phase. Boot sends no request, and creates no table.
 *
 * - config: section `dynamoDb`
 * - health: `dynamoDb`, shared: every table that the app has opened can be used
 * - metric: `flange.dynamo_db.duration`
 * - fails with `DynamoDbClientMissing` in its acquire phase
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as DynamoDb from "flange/DynamoDb"
 *
 * const app = App.make("shop", [DynamoDb.plugin], {
 *   config: { values: { dynamoDb: { region: "eu-central-1", tablePrefix: "shop-staging-" } } }
 * })
 * App.describe(app).plugins[0]!.config // => ["dynamoDb"]
 * ```
 */
export const plugin = Plugin.make("flange:dynamo-db", {
  config: [DynamoDbConfig],
  health: { dynamoDb: HealthCheck.make(DynamoDb.use((dynamo) => dynamo.ping)) },
  layer: Layer.effect(
    DynamoDb,
    Effect.gen(function* () {
      const settings = yield* DynamoDbConfig
      const AwsBackend = yield* Effect.tryPromise({
        catch: (cause) => new DynamoDbClientMissing({ cause }),
        try: () => import("./AwsBackend.ts")
      })
      const { batchAttempts, tablePrefix = "" } = settings
      return yield* make(yield* AwsBackend.make(settings), {
        attempts: batchAttempts,
        prefix: tablePrefix
      })
    })
  ),
  provides: [DynamoDb]
})
