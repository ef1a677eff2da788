/** The configuration section `overload`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

const Count = Schema.Int.check(Schema.isGreaterThan(0))

const waitWords = 'a duration above zero and not infinite, such as "1 second"'

const Wait = Config.Duration.check(
  Schema.makeFilter((wait) => Duration.isFinite(wait) && Duration.toMillis(wait) > 0, {
    expected: waitWords
  })
)

/**
 * Section `overload`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `enabled` | true | if `false`, every request is admitted |
 * | `maxConcurrency` | 1000 | the most requests in flight, however high the measured limit is |
 * | `maxHandles` | none | above this number of open handles, such as sockets and timers, `/readyz` answers 503 |
 * | `maxHeap` | 0.95 | above this share of the heap's limit, `/readyz` answers 503 |
 * | `maxQueue` | 1000 | the most requests that wait |
 * | `maxWait` | 1 s | the longest wait of a request; under overload it is shorter |
 * | `minConcurrency` | 8 | the least limit, however slow requests are |
 * | `retryAfter` | 1 s | the value of `Retry-After`, in whole seconds |
 */
export const OverloadConfig = Config.section(
  "overload",
  {
    enabled: Schema.Boolean.pipe(Config.withDefault(true)),
    maxConcurrency: Count.pipe(Config.withDefault(1000)),
    maxHandles: Schema.optionalKey(Count),
    maxHeap: Schema.Finite.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(1)).pipe(
      Config.expected("a number above 0 and at most 1, such as 0.95"),
      Config.withDefault(0.95)
    ),
    maxQueue: Count.pipe(Config.withDefault(1000)),
    maxWait: Wait.pipe(Config.withDefault("1 second")),
    minConcurrency: Count.pipe(Config.withDefault(8)),
    retryAfter: Wait.pipe(Config.withDefault("1 second"))
  },
  {
    check: ({ maxConcurrency, minConcurrency }) =>
      minConcurrency > maxConcurrency
        ? [
            {
              expected: `a number up to maxConcurrency, which is ${maxConcurrency}`,
              key: "minConcurrency",
              reason: `${minConcurrency} is above maxConcurrency`
            }
          ]
        : []
  }
)
