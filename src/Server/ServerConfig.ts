/** The configuration section `server`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Config from "../Config/index.ts"
import { Network } from "../Config/Network.ts"
import { Timer } from "../Config/Timer.ts"
import * as Defaults from "./Defaults.ts"
import * as Runtime from "./Runtime.ts"
import { issues, TlsConfig } from "./TlsConfig.ts"

const Count = Schema.Int.pipe(Schema.check(Schema.isGreaterThan(0)))

/**
 * Section `server`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `bodyLimit` | 8 MiB | longest request body; a contract's `BodyLimit` wins |
 * | `bodyTimeout` | 60 s | proxied: longest silence within a request body |
 * | `h2c` | false | node: also HTTP/2 without TLS, for clients that begin with it |
 * | `halfClose` | false | proxied: a client that ends its side still gets replies; if false, its requests are interrupted |
 * | `headersTimeout` | 80 s | how long the head of a request may take; above `keepAlive` |
 * | `host` | `0.0.0.0`, proxied: `127.0.0.1` | address to listen on; variable `HOST` |
 * | `keepAlive` | 75 s | how long an idle connection stays open; above the proxy's own |
 * | `listener` | `auto` | `auto`, the server of the runtime, `node`, fit for the open internet, or `proxied`, faster behind a proxy |
 * | `maxConnections` | 10000 | most open connections; further ones are answered with 503 and closed |
 * | `maxFields` | 1000 | most fields of a form, and parts of a multipart form |
 * | `maxHeaderBytes` | 16 KiB | longest head of a request |
 * | `maxHeaders` | 128 | proxied, HTTP/2: most header fields of a request |
 * | `maxJsonDepth` | 100 | most levels of arrays and objects in a JSON body, 1 to 500 |
 * | `maxLineBytes` | 8 KiB | proxied: longest request line and longest header field |
 * | `maxParamLength` | 1024 | longest parameter of a path, in characters; above it 414 |
 * | `maxPipelined` | 16 | most requests of a connection that are handled at once |
 * | `maxStreams` | 100 | HTTP/2: most requests of a connection that are open at once |
 * | `port` | 8080 | port to listen on, 0 for any free one; variable `PORT` |
 * | `requestTimeout` | 5 min | how long a whole request may take to arrive |
 * | `socket` | none | proxied: path of a unix socket to listen on, instead of host and port |
 * | `socketMode` | 660 | proxied: permissions of that socket, octal |
 * | `strictQuery` | false | whether unknown keys of a query are answered with 400; a contract's `StrictQuery` wins |
 * | `tls` | none | node: serve TLS, with HTTP/2 and HTTP/1.1 |
 * | `tls.certificates` | none | list of `cert` and `key`, each a PEM file or text; the name that a client asks for chooses among several |
 * | `tls.clientCa` | none | authorities, a PEM file or text: clients are asked for a certificate of these |
 * | `tls.requireClientCertificate` | false | whether clients without such a certificate are refused |
 * | `tls.selfSigned` | none | names for which to make a certificate at each start, instead of `tls.certificates`; for development |
 * | `trailingSlash` | `strict` | if only the slash at the end of a path differs from a route: `strict` 404, `redirect` 308 to it |
 * | `trustedProxies` | none | networks (CIDR) of the proxies whose forwarding headers are believed |
 * | `workers` | 1 | how many processes serve the port of the app together, or `auto` for one for each processor; only `App.run` on Node starts them |
 * | `writeTimeout` | 60 s | longest time in which a client reads nothing of a reply |
 *
 * A timeout is from 1 ms to 24 days.
 */
export const ServerConfig = Config.section(
  "server",
  {
    bodyLimit: Config.ByteSize.pipe(Config.withDefault("8 MiB")),
    bodyTimeout: Timer.pipe(Config.withDefault("60 seconds")),
    h2c: Schema.optionalKey(Schema.Boolean),
    halfClose: Schema.Boolean.pipe(Config.withDefault(false)),
    headersTimeout: Timer.pipe(Config.withDefault("80 seconds")),
    host: Schema.optionalKey(Schema.String),
    keepAlive: Timer.pipe(Config.withDefault("75 seconds")),
    listener: Schema.Literals(["auto", "node", "proxied"]).pipe(
      Schema.withDecodingDefaultKey(Effect.sync(() => Defaults.listener))
    ),
    maxConnections: Count.pipe(Config.withDefault(10_000)),
    maxFields: Count.pipe(Config.withDefault(1000)),
    maxHeaderBytes: Config.ByteSize.pipe(Config.withDefault("16 KiB")),
    maxHeaders: Count.pipe(Config.withDefault(128)),
    // Decoders are recursive: far deeper values would exceed the call stack.
    maxJsonDepth: Schema.Int.pipe(
      Schema.check(Schema.isBetween({ maximum: 500, minimum: 1 })),
      Config.withDefault(100)
    ),
    maxLineBytes: Config.ByteSize.pipe(Config.withDefault("8 KiB")),
    maxParamLength: Count.pipe(Config.withDefault(1024)),
    maxPipelined: Count.pipe(Config.withDefault(16)),
    maxStreams: Count.pipe(Config.withDefault(100)),
    port: Config.Port.pipe(Config.withDefault(8080)),
    requestTimeout: Timer.pipe(Config.withDefault("5 minutes")),
    socket: Schema.optionalKey(Schema.NonEmptyString),
    socketMode: Schema.String.pipe(
      Schema.check(Schema.isPattern(/^[0-7]{3}$/)),
      Config.withDefault("660")
    ),
    strictQuery: Schema.Boolean.pipe(Config.withDefault(false)),
    tls: Schema.optionalKey(TlsConfig),
    trailingSlash: Schema.Literals(["strict", "redirect"]).pipe(Config.withDefault("strict")),
    trustedProxies: Schema.Array(Network).pipe(Config.withDefault([])),
    workers: Schema.Union([
      Count.check(Schema.isLessThanOrEqualTo(1024)),
      Schema.Literal("auto")
    ]).pipe(Config.withDefault(1)),
    writeTimeout: Timer.pipe(Config.withDefault("60 seconds"))
  },
  {
    check: (keys) => [...issues(keys), ...Runtime.issues(keys)],
    variables: { HOST: "host", PORT: "port" }
  }
)
