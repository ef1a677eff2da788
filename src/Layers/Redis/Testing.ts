/** Test doubles of Redis: `TestRedis` is a Redis in memory, on the clock of the test. */

export * as TestRedis from "./Double/TestRedis.ts"
