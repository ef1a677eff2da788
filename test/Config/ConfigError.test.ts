import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Config from "../../src/Config/index.ts"
import { DatabaseConfig, directoryWith, ServerConfig } from "./fixtures.ts"

layer(NodeServices.layer)("ConfigError", (it) => {
  it.effect("has every problem of every source in one report", () =>
    Effect.gen(function* () {
      const directory = yield* directoryWith({
        "flange.toml": [
          "[server]",
          "host = 5",
          "prot = 8080",
          "[database]",
          "url = 7",
          "[environments.production.database.pool]",
          "max = 1.5"
        ].join("\n")
      })
      const error = yield* Effect.flip(
        Config.load({
          defaults: [{ plugin: "flange:server", values: { server: { limit: "8 parsecs" } } }],
          directory,
          overrides: { server: { hosts: [1] } },
          sections: [DatabaseConfig, ServerConfig],
          variables: { FLANGE_ENV: "prod", FLANGE__SERVER__CORS: "maybe" }
        })
      )
      assert.strictEqual(error._tag, "ConfigError")
      assert.strictEqual(
        error.message,
        `┌ The configuration has 7 problems
│
│ database.pool.max
│   1.5 from flange.toml [environments.production] is refused for database.pool.max: write an integer.
│   source    flange.toml [environments.production]
│   received  1.5
│   expected  an integer
│
│ database.url
│   <redacted> from flange.toml is refused for database.url: write a string (secret).
│   source    flange.toml
│   received  <redacted>
│   expected  a string (secret)
│
│ server.cors
│   "maybe" from variable FLANGE__SERVER__CORS is refused for server.cors: write true or false.
│   source    variable FLANGE__SERVER__CORS
│   received  "maybe"
│   expected  true or false
│
│ server.host
│   5 from flange.toml is refused for server.host: write a string.
│   source    flange.toml
│   received  5
│   expected  a string
│
│ server.hosts.0
│   1 from overrides is refused for server.hosts.0: write a string.
│   source    overrides
│   received  1
│   expected  a string
│
│ server.limit
│   "8 parsecs" from defaults of plugin flange:server is refused for server.limit: write a size such as "8 MiB", "500 kB" or a whole number of bytes.
│   source    defaults of plugin flange:server
│   received  "8 parsecs"
│   expected  a size such as "8 MiB", "500 kB" or a whole number of bytes
│
│ server.port
│   server.port is missing (server.prot is set, which may be a misspelling): write a port, an integer from 0 to 65535 in flange.toml, or set the variable PORT.
│   source    not set
│   expected  a port, an integer from 0 to 65535
│   nearest   server.prot
│
└ Repair all of them and start again.`
      )
    })
  )

  it.effect("names the variable that sets a missing key without a short variable", () =>
    Effect.gen(function* () {
      const Mail = Config.section("mail", { fromAddress: Schema.String })
      const { problems } = yield* Effect.flip(Config.load({ sections: [Mail] }))
      assert.strictEqual(
        problems[0]?.message,
        "mail.fromAddress is missing: write a string in flange.toml, or set the variable " +
          "FLANGE__MAIL__FROM_ADDRESS."
      )
    })
  )

  it.effect("has the message of a check across fields", () =>
    Effect.gen(function* () {
      const Range = Config.section(
        "range",
        Schema.Struct({ max: Schema.Int, min: Schema.Int }).check(
          Schema.makeFilter(({ max, min }) => min <= max || "min is above max")
        )
      )
      const { problems } = yield* Effect.flip(
        Config.load({ sections: [Range], values: { range: { max: 1, min: 2 } } })
      )
      assert.strictEqual(
        problems[0]?.message,
        `{"max":1,"min":2} from code is refused for range (min is above max): write an object ` +
          "with max, min."
      )
    })
  )

  it.effect("reports a union once, at its own key", () =>
    Effect.gen(function* () {
      const Cors = Config.section("cors", {
        origins: Schema.Union([Schema.Literal("*"), Schema.Array(Schema.String)])
      })
      const { problems } = yield* Effect.flip(
        Config.load({ sections: [Cors], values: { cors: { origins: 5 } } })
      )
      assert.deepStrictEqual(
        problems.map(({ expected, key }) => [key, expected]),
        [["cors.origins", '"*" or a list of items that are each a string']]
      )
    })
  )
})
