/** The configuration section `server`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Config from "../Config/index.ts"
import { Network } from "./Network.ts"

/**
 * Section `server`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `bodyLimit` | 8 MiB | longest request body; an endpoint's `BodyLimit` wins |
 * | `headersTimeout` | 80 s | how long the head of a request may take; above `keepAlive` |
 * | `host` | `0.0.0.0` | address to listen on; variable `HOST` |
 * | `keepAlive` | 75 s | how long an idle connection stays open; above the proxy's own |
 * | `maxHeaderBytes` | 16 KiB | longest head of a request |
 * | `port` | 8080 | port to listen on, 0 for any free one; variable `PORT` |
 * | `requestTimeout` | 5 min | how long a whole request may take to arrive |
 * | `trustedProxies` | none | networks (CIDR) whose word on the client's address is believed |
 */
export const ServerConfig = Config.section(
  "server",
  {
    bodyLimit: Config.ByteSize.pipe(Schema.withDecodingDefaultKey(Effect.succeed("8 MiB"))),
    headersTimeout: Config.Duration.pipe(
      Schema.withDecodingDefaultKey(Effect.succeed("80 seconds"))
    ),
    host: Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed("0.0.0.0"))),
    keepAlive: Config.Duration.pipe(Schema.withDecodingDefaultKey(Effect.succeed("75 seconds"))),
    maxHeaderBytes: Config.ByteSize.pipe(Schema.withDecodingDefaultKey(Effect.succeed("16 KiB"))),
    port: Config.Port.pipe(Schema.withDecodingDefaultKey(Effect.succeed(8080))),
    requestTimeout: Config.Duration.pipe(
      Schema.withDecodingDefaultKey(Effect.succeed("5 minutes"))
    ),
    trustedProxies: Schema.Array(Network).pipe(Schema.withDecodingDefaultKey(Effect.succeed([])))
  },
  { variables: { HOST: "host", PORT: "port" } }
)
