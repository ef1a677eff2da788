/** Test doubles of outgoing calls: `TestHttpClient` has replies that a test writes or that were recorded. */

export * as TestHttpClient from "./Double/TestHttpClient.ts"
