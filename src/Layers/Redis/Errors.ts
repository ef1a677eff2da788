/** The errors with which connecting to Redis stops the boot. */
import * as Schema from "effect/Schema"

/**
 * The server did not answer within `redis.connectTimeout`, or refused the connection for a reason
 * that does not pass. Names the server, never the password.
 */
export class RedisUnreachable extends Schema.TaggedError<RedisUnreachable>()("RedisUnreachable", {
  host: Schema.String,
  port: Schema.Number,
  /** The last error message of the client or the server. */
  reason: Schema.String,
  /** A description, such as `Redis at cache:6379`. */
  target: Schema.String,
  /** How long the start waited, such as `5s`. */
  waited: Schema.String
}) {
  override get message(): string {
    return (
      `Cannot use ${this.target}: ${this.reason} (gave up after ${this.waited}). ` +
      "Start the server, correct REDIS_URL, or raise redis.connectTimeout."
    )
  }
}

/** The package `redis` is not installed, or cannot be loaded. */
export class RedisClientMissing extends Schema.TaggedError<RedisClientMissing>()(
  "RedisClientMissing",
  { cause: Schema.Defect() }
) {
  override get message(): string {
    return "The package redis cannot be loaded. Run: npm install redis"
  }
}

/** An app in the environment `test` has neither a server nor a test double. */
export class RedisUrlMissing extends Schema.TaggedError<RedisUrlMissing>()("RedisUrlMissing", {}) {
  override get message(): string {
    return "redis.url is not set. Give the test the double, with TestRedis of flange/Redis/Testing: replace: [[Redis.plugin, TestRedis.layer]]. Or set REDIS_URL to a server that the test may fill."
  }
}
