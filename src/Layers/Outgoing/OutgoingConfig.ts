/** The configuration section `outgoing`. */
import type * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import * as Config from "../../Config/index.ts"
import { Network } from "../../Config/Network.ts"
import { Timer } from "../../Config/Timer.ts"

const Count = Schema.Int.check(Schema.isGreaterThan(0))

const CountOrNone = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const Size = Config.ByteSize.check(Schema.isGreaterThan(0))

const Share = Schema.Finite.check(Schema.isBetween({ maximum: 1, minimum: 0 })).pipe(
  Config.expected("a number from 0 to 1, such as 0.2 for a fifth")
)

/** At 0 the first failure in the window would open the circuit. */
const Ratio = Schema.Finite.check(Schema.makeFilter((ratio) => ratio > 0 && ratio <= 1)).pipe(
  Config.expected("a number above 0 and at most 1, such as 0.5 for a half")
)

const isBase = (text: string): boolean => {
  const url = URL.parse(text)
  return (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.username + url.password + url.search + url.hash === ""
  )
}

const BaseUrl = Schema.String.check(Schema.makeFilter(isBase)).pipe(
  Config.expected(
    'an http or https URL without password, query and fragment, such as "https://rates.example.com/v1"'
  )
)

/** The settings of an upstream, and the defaults for all of them. */
const settings = {
  attemptTimeout: Timer,
  breakerCalls: Count,
  breakerOpen: Timer,
  breakerRatio: Ratio,
  hedgeAfter: Timer,
  maxConcurrent: Count,
  maxResponse: Size,
  maxWait: Timer,
  maxWaiting: CountOrNone,
  retries: CountOrNone,
  retryBudget: Share,
  retryDelay: Timer,
  timeout: Timer
}

/** The schema of a named upstream. A key that it does not have is that of the section. */
const Upstream = Schema.Struct({
  ...Struct.map(settings, Schema.optionalKey),
  internal: Schema.Boolean.pipe(Config.withDefault(false)),
  url: BaseUrl
})

/** Metrics and errors have `other` and `userUrls` for what the configuration does not name. */
const isName = (name: string): boolean =>
  /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name) && name !== "other" && name !== "userUrls"

const userUrls = {
  allowNetworks: Schema.Array(Network).pipe(Config.withDefault([])),
  maxConcurrent: Count.pipe(Config.withDefault(20)),
  maxRedirects: CountOrNone.pipe(Config.withDefault(3)),
  maxResponse: Size.pipe(Config.withDefault("1 MiB")),
  ports: Schema.Array(Config.Port.check(Schema.isGreaterThan(0))).pipe(
    Config.withDefault([80, 443])
  ),
  schemes: Schema.Array(Schema.Literals(["http", "https"])).pipe(
    Config.withDefault(["http", "https"])
  ),
  timeout: Timer.pipe(Config.withDefault("10 seconds"))
}

/**
 * Section `outgoing`. The keys of an upstream, from `attemptTimeout` to `timeout`, are the defaults
 * for all upstreams.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `attemptTimeout` | 10 s | how long one attempt waits for the head of the response, and the reader of a streamed body for its next part |
 * | `breakerCalls` | 20 | how many of the last attempts the circuit breaker looks at |
 * | `breakerOpen` | 10 s | how long an open circuit refuses calls, before one call tries the upstream again |
 * | `breakerRatio` | 0.5 | the share of failed attempts that opens the circuit |
 * | `connectTimeout` | 3 s | how long opening a connection may take, with the lookup of the name and TLS |
 * | `hedgeAfter` | none | after this time without a response, a `GET`, `HEAD` or `OPTIONS` is sent a second time, and the first response wins |
 * | `keepAlive` | 4 s | how long an idle connection is kept; below the limit of most servers |
 * | `maxConcurrent` | 100 | the most attempts to one upstream at the same time |
 * | `maxConnections` | 100 | the most connections to one origin |
 * | `maxResponse` | 64 MiB | the longest body that is read into memory; streams have no limit |
 * | `maxWait` | 1 s | how long an attempt waits for its turn |
 * | `maxWaiting` | 100 | how many attempts wait for their turn, before further ones are refused |
 * | `retries` | 2 | how often a request is sent again |
 * | `retryBudget` | 0.2 | the most retries and hedges, as a share of the calls to the upstream; 10 more are free |
 * | `retryDelay` | 100 ms | the longest wait before the first retry. It doubles with each, up to 2 s. The actual wait is a random share of it |
 * | `timeout` | 30 s | how long a call may take, with its attempts, waits and the body that is read into memory |
 * | `upstreams` | none | the upstreams by name: `url`, `internal`, and keys of their own from `attemptTimeout` to `timeout` |
 * | `userUrls.allowNetworks` | none | networks that URLs of users may lead to although they are not public |
 * | `userUrls.maxConcurrent` | 20 | the most calls to URLs of users at the same time |
 * | `userUrls.maxRedirects` | 3 | how many redirects are followed |
 * | `userUrls.maxResponse` | 1 MiB | the longest body, also of a stream |
 * | `userUrls.ports` | 80, 443 | the ports that URLs of users may have |
 * | `userUrls.schemes` | http, https | the schemes that URLs of users may have |
 * | `userUrls.timeout` | 10 s | how long a call may take, with redirects and the whole body |
 */
export const OutgoingConfig = Config.section(
  "outgoing",
  {
    attemptTimeout: settings.attemptTimeout.pipe(Config.withDefault("10 seconds")),
    breakerCalls: settings.breakerCalls.pipe(Config.withDefault(20)),
    breakerOpen: settings.breakerOpen.pipe(Config.withDefault("10 seconds")),
    breakerRatio: settings.breakerRatio.pipe(Config.withDefault(0.5)),
    connectTimeout: Timer.pipe(Config.withDefault("3 seconds")),
    hedgeAfter: Schema.optionalKey(settings.hedgeAfter),
    keepAlive: Timer.pipe(Config.withDefault("4 seconds")),
    maxConcurrent: settings.maxConcurrent.pipe(Config.withDefault(100)),
    maxConnections: Count.pipe(Config.withDefault(100)),
    maxResponse: settings.maxResponse.pipe(Config.withDefault("64 MiB")),
    maxWait: settings.maxWait.pipe(Config.withDefault("1 second")),
    maxWaiting: settings.maxWaiting.pipe(Config.withDefault(100)),
    retries: settings.retries.pipe(Config.withDefault(2)),
    retryBudget: settings.retryBudget.pipe(Config.withDefault(0.2)),
    retryDelay: settings.retryDelay.pipe(Config.withDefault("100 millis")),
    timeout: settings.timeout.pipe(Config.withDefault("30 seconds")),
    upstreams: Schema.Record(Schema.String, Upstream).pipe(Config.withDefault({})),
    userUrls: Schema.Struct(userUrls).pipe(Config.withDefault({}))
  },
  {
    check: ({ upstreams }) => {
      const byUrl = new Map<string, string>()
      return Object.entries(upstreams).flatMap(([name, { url }]) => {
        if (!isName(name)) {
          return [
            {
              expected:
                "a name of up to 64 letters, digits, _ and -, other than other and userUrls",
              key: "upstreams",
              reason: `${JSON.stringify(name)} cannot be the name of an upstream`
            }
          ]
        }
        const key = new URL(url).href.replace(/\/$/, "")
        const other = byUrl.get(key)
        byUrl.set(key, name)
        return other === undefined
          ? []
          : [
              {
                expected: "a URL of its own for each upstream",
                key: `upstreams.${name}.url`,
                reason: `the upstream ${other} has it too, so their calls cannot be told apart`
              }
            ]
      })
    }
  }
)

/** The decoded section `outgoing`. */
export type Settings = (typeof OutgoingConfig)["Service"]

/** The limits of one upstream. */
export interface Limits extends Pick<Settings, Exclude<keyof typeof settings, "hedgeAfter">> {
  readonly hedgeAfter?: Duration.Duration
}

/** Returns the limits of a named upstream: its own, and those of the section for the others. */
export const limitsOf = (all: Settings, own: Settings["upstreams"][string]): Limits => ({
  ...all,
  ...own
})
