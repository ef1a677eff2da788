/** The configuration section `webSocket`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"
import { Timer } from "../../Config/Timer.ts"

const atLeast = (minimum: Duration.Duration, expected: string) =>
  Config.Duration.check(
    Schema.makeFilter((time) => Duration.isGreaterThanOrEqualTo(time, minimum), { expected })
  )

const Time = atLeast(Duration.millis(10), "a duration of at least 10 ms")

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

/** The largest limit that `ws` takes. */
const Size = Config.ByteSize.check(Schema.isBetween({ maximum: 2 ** 31 - 1, minimum: 1 })).pipe(
  Config.expected('a size from 1 byte to less than "2 GiB"')
)

const fields = {
  bytesPerSecond: Size.pipe(Config.withDefault("1 MiB")),
  closeTimeout: Timer.pipe(Config.withDefault("5 seconds")),
  compression: Schema.Boolean.pipe(Config.withDefault(false)),
  compressionThreshold: Size.pipe(Config.withDefault("1 KiB")),
  idleTimeout: Time.pipe(Config.withDefault("1 minute")),
  maxBuffer: Size.pipe(Config.withDefault("1 MiB")),
  maxFragments: Count.pipe(Config.withDefault(1000)),
  maxSize: Size.pipe(Config.withDefault("64 KiB")),
  maxWaiting: Count.pipe(Config.withDefault(100)),
  messagesPerSecond: Count.pipe(Config.withDefault(100)),
  sendTimeout: Time.pipe(Config.withDefault("30 seconds"))
}

/**
 * Section `webSocket`: the limits of each connection, which the options of a channel may replace.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `bytesPerSecond` | 1 MiB | the most bytes of messages from a client in a second; more close the connection with 1008 |
 * | `closeTimeout` | 5 s | how long a client may take to answer a closing frame, and a handler to end after its connection |
 * | `compression` | false | whether messages are compressed if the client offers it. It takes 30 to 300 KB for each connection that compresses |
 * | `compressionThreshold` | 1 KiB | shorter messages are not compressed |
 * | `idleTimeout` | 1 min | how long a client may be silent, which answers pings; after half of it a ping is sent |
 * | `maxBuffer` | 1 MiB | the most bytes that wait for a client to read them |
 * | `maxFragments` | 1000 | the most frames of one message; more close the connection with 1008 |
 * | `maxSize` | 64 KiB | the longest message of a client, decompressed; a longer one closes the connection with 1009 |
 * | `maxWaiting` | 100 | the most messages that wait for the handler before the client has to wait |
 * | `messagesPerSecond` | 100 | the most messages and pings of a client in a second; more close the connection with 1008 |
 * | `sendTimeout` | 30 s | how long a client may leave `maxBuffer` bytes unread; then the connection closes with 1013 |
 */
export const WebSocketConfig = Config.section("webSocket", fields)

/** The decoded section `webSocket`. */
export type Settings = Schema.Struct<typeof fields>["Type"]
