/** The configuration section `redis`. */
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"
import { Timer } from "../../Config/Timer.ts"
import * as RedisUrl from "./RedisUrl.ts"

const without = (mistake: RedisUrl.Mistake) =>
  Schema.makeFilter<string>((text) => RedisUrl.read(text) !== mistake, {
    message: RedisUrl.mistakes[mistake]
  })

const Url = Schema.RedactedFromValue(
  Schema.String.check(
    without("database"),
    without("encoding"),
    without("host"),
    without("hosts"),
    without("parameter"),
    without("port"),
    without("scheme")
  )
).pipe(Config.expected(RedisUrl.expectedUrl))

const Positive = Schema.Int.check(Schema.isGreaterThan(0))

const fields = {
  commandTimeout: Timer.pipe(Config.withDefault("1 second")),
  connectTimeout: Timer.pipe(Config.withDefault("5 seconds")),
  maxReserved: Positive.pipe(Config.withDefault(10)),
  prefix: Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^[A-Za-z0-9._-]+(?::[A-Za-z0-9._-]+)*$/, {
        expected: "words of letters, digits, ., _ and -, with : between them"
      })
    )
  ),
  subscriptionBuffer: Positive.pipe(Config.withDefault(1024)),
  url: Schema.optionalKey(Url)
}

/**
 * Section `redis`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `commandTimeout` | 1 s | how long a command waits for its reply, and `reserve` for a free connection |
 * | `connectTimeout` | 5 s | how long the start waits for the server, and later each attempt to connect |
 * | `maxReserved` | 10 | the most connections that `reserve` lends at the same time |
 * | `prefix` | the id of the app | what the keys and channels of the app begin with, before a colon |
 * | `subscriptionBuffer` | 1024 | how many messages wait for a slow subscriber before they are dropped |
 * | `url` | `redis://127.0.0.1:6379` in `local` | `redis://`, or `rediss://` for TLS; variable `REDIS_URL` |
 */
export const RedisConfig = Config.section("redis", fields, {
  check: ({ url }, environment) =>
    // A test may replace the layer, which then needs no URL.
    url === undefined && environment !== "test"
      ? [{ key: "url", reason: "the plugin flange:redis needs a server" }]
      : [],
  variables: { REDIS_URL: "url" }
})

/** The decoded section `redis`. */
export type Settings = Schema.Struct<typeof fields>["Type"]

/** Returns the defaults of an environment: `local` has the server of this machine. */
export const defaultsFor = (environment: string): object =>
  environment === "local" ? { redis: { url: "redis://127.0.0.1:6379" } } : {}
