import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { DynamoDbConfig } from "flange/DynamoDb"
import { ObjectStoreConfig } from "flange/ObjectStore"
import { OutgoingConfig } from "flange/Outgoing"
import { WebSocketConfig } from "flange/Realtime"
import { RedisConfig } from "flange/Redis"
import { TelemetryConfig } from "flange/Telemetry"
import * as Config from "../../src/Config/index.ts"
import { longestTimer, Timer } from "../../src/Config/Timer.ts"
import { ServerConfig } from "../../src/Server/ServerConfig.ts"

const ClockConfig = Config.section("clock", { time: Timer })

const read = (time: number | string) =>
  Effect.map(Config.load({ sections: [ClockConfig], values: { clock: { time } } }), ({ context }) =>
    Duration.toMillis(Context.get(context, ClockConfig).time)
  )

layer(NodeServices.layer)("Timer", (it) => {
  it.effect.each([
    [1, 1],
    ["24 days", 2_073_600_000],
    ["75s", 75_000]
  ] as const)("accepts %j", ([time, millis]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* read(time), millis)
      assert.isAtMost(millis, longestTimer)
    })
  )

  it.effect.each([
    ["25 days", '"25 days"', "a timer is never longer than 24 days"],
    ["Infinity", '"Infinity"', "a timer is never longer than 24 days"],
    [0, "0", "a timer takes whole milliseconds, at least one"],
    ["1.5 ms", '"1.5 ms"', "a timer takes whole milliseconds, at least one"]
  ] as const)("refuses %j with the reason and what to write", ([time, shown, reason]) =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(read(time))
      assert.deepStrictEqual(
        problems.map(({ message }) => message),
        [
          `${shown} from code is refused for clock.time (${reason}): write a duration such as "5 seconds" or a number of milliseconds, from 1 ms to 24 days.`
        ]
      )
    })
  )

  describe("the settings that timers of the runtime measure", () => {
    it.effect.each([
      [DynamoDbConfig, "dynamoDb", ["timeout"]],
      [ObjectStoreConfig, "objectStore", ["timeout"]],
      [
        OutgoingConfig,
        "outgoing",
        ["attemptTimeout", "breakerOpen", "connectTimeout", "hedgeAfter", "keepAlive"]
      ],
      [RedisConfig, "redis", ["commandTimeout", "connectTimeout"]],
      [
        ServerConfig,
        "server",
        ["bodyTimeout", "headersTimeout", "keepAlive", "requestTimeout", "writeTimeout"]
      ],
      [TelemetryConfig, "telemetry", ["shutdownTimeout", "timeout"]],
      [WebSocketConfig, "webSocket", ["closeTimeout"]]
    ] as const)("%o %s.%j are at most 24 days", ([section, name, keys]) =>
      Effect.gen(function* () {
        const values = Object.fromEntries(keys.map((key) => [key, "30 days"]))
        const { problems } = yield* Effect.flip(
          Config.load({ sections: [section], values: { [name]: values } })
        )
        assert.sameMembers(
          problems.filter(({ expected }) => expected.includes("24 days")).map(({ key }) => key),
          keys.map((key) => `${name}.${key}`)
        )
      })
    )
  })
})
