/** The configuration section `dynamoDb`. */
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"
import { Timer } from "../../Config/Timer.ts"

const Text = Schema.String.check(Schema.isMinLength(1))

const fields = {
  accessKeyId: Schema.optionalKey(Config.Secret),
  batchAttempts: Schema.Int.check(Schema.isBetween({ maximum: 100, minimum: 1 })).pipe(
    Config.withDefault(8)
  ),
  endpoint: Schema.optionalKey(
    Schema.String.check(Schema.isPattern(/^https?:\/\/[^\s/@?#]+\/?$/)).pipe(
      Config.expected('a URL without a path, such as "http://127.0.0.1:8000"')
    )
  ),
  maxAttempts: Schema.Int.check(Schema.isBetween({ maximum: 20, minimum: 1 })).pipe(
    Config.withDefault(3)
  ),
  region: Schema.optionalKey(Text),
  secretAccessKey: Schema.optionalKey(Config.Secret),
  sessionToken: Schema.optionalKey(Config.Secret),
  tablePrefix: Schema.optionalKey(
    Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_.-]{0,100}$/)).pipe(
      Config.expected('letters, digits and the characters _ . -, such as "shop-staging-"')
    )
  ),
  timeout: Timer.pipe(Config.withDefault("5 seconds"))
}

/**
 * Section `dynamoDb`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `accessKeyId` | what the AWS SDK finds | the credentials: all of the `AWS_` variables, the shared files and the role of the machine work without this key |
 * | `batchAttempts` | 8 | how many requests of a batch in a row may have no effect |
 * | `endpoint` | that of AWS | the server, if it is another than that of AWS; variable `DYNAMODB_ENDPOINT` |
 * | `maxAttempts` | 3 | how often the AWS SDK sends a request that fails or is throttled |
 * | `region` | what the AWS SDK finds | the region |
 * | `secretAccessKey` | what the AWS SDK finds | the secret of `accessKeyId` |
 * | `sessionToken` | none | the token of temporary credentials |
 * | `tablePrefix` | none | what the names of all tables begin with; variable `DYNAMODB_TABLE_PREFIX` |
 * | `timeout` | 5 s | how long a request waits for the server |
 */
export const DynamoDbConfig = Config.section("dynamoDb", fields, {
  check: ({ accessKeyId, secretAccessKey }) =>
    (accessKeyId === undefined) === (secretAccessKey === undefined)
      ? []
      : [
          {
            key: accessKeyId === undefined ? "accessKeyId" : "secretAccessKey",
            reason: "accessKeyId and secretAccessKey belong together"
          }
        ],
  variables: { DYNAMODB_ENDPOINT: "endpoint", DYNAMODB_TABLE_PREFIX: "tablePrefix" }
})

/** The decoded section `dynamoDb`. */
export type Settings = Schema.Struct<typeof fields>["Type"]
