/** Test doubles of DynamoDB: `TestDynamoDb` has tables in memory. */

export * as TestDynamoDb from "./TestDynamoDb.ts"
