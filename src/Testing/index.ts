/**
 * Apps under test: the real plugins, booted in memory or on a free port, with a typed client,
 * requests by path, replies that explain failed assertions, replacements of plugins, and the log as
 * data.
 *
 * It works with every test runner: assertions throw `AssertionError` of `node:assert`.
 */

export { type Replacement } from "./Replacements.ts"
export * as TestApp from "./TestApp.ts"
export { type LogEntry } from "./TestLogs.ts"
export { type Options } from "./TestOptions.ts"
export { TestOptionsError } from "./TestOptionsError.ts"
export { type BodyOptions, type RawBody, type RequestOptions } from "./TestRequest.ts"
export { TestResponse } from "./TestResponse.ts"
