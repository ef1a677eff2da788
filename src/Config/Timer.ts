/** The codec for the duration of a timer. */
import * as EffectDuration from "effect/Duration"
import * as Schema from "effect/Schema"
import { Duration } from "./Codecs.ts"
import { expected } from "./Expected.ts"

/** The longest time of a timer, in milliseconds. A timer with a longer time ends after 1 ms. */
export const longestTimer = 2 ** 31 - 1

const isShort = (time: EffectDuration.Duration): boolean =>
  EffectDuration.isLessThanOrEqualTo(time, EffectDuration.days(24))

/** Zero has another meaning in each place: no limit, or one that is over at once. */
const isWhole = (time: EffectDuration.Duration): boolean => {
  const millis = EffectDuration.toMillis(time)
  return millis === Math.trunc(millis) && millis > 0
}

/**
 * A duration that a timer of the runtime measures, such as `setTimeout` or the timeout of a socket: whole
 * milliseconds up to 24 days. The sleeps and timeouts of Effect take any `Config.Duration`.
 */
export const Timer: Schema.Codec<EffectDuration.Duration, number | string> = Duration.check(
  Schema.makeFilter(isShort, { message: "a timer is never longer than 24 days" }),
  Schema.makeFilter(isWhole, { message: "a timer takes whole milliseconds, at least one" })
).pipe(expected('a duration such as "5 seconds" or a number of milliseconds, from 1 ms to 24 days'))
