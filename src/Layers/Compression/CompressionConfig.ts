/** The configuration section `compression`. */
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

/** The content codings. Source: RFC 8878, RFC 7932, RFC 1952. */
export const codings = ["zstd", "br", "gzip"] as const

/** A content coding by its name in `Content-Encoding`. */
export type Coding = (typeof codings)[number]

/** A media type in lower case, `type/*` or `*+suffix`. */
const MediaType = Schema.String.check(
  Schema.isPattern(/^(?:[a-z0-9!#$&^_.+-]+\/(?:\*|[a-z0-9!#$&^_.+-]+)|\*\+[a-z0-9!#$&^_.-]+)$/),
  Schema.makeFilter((type) =>
    type === "text/event-stream"
      ? "events must arrive one by one, and a compressor would hold them back: remove it"
      : true
  )
).pipe(
  Config.expected('a media type in lower case, such as "application/json", "text/*" or "*+json"')
)

/**
 * Section `compression`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `codings` | `zstd`, `br`, `gzip` | the codings that the app uses. If a client likes several equally, the first one is used |
 * | `threshold` | 1 KiB | the shortest body that is compressed |
 * | `types` | `*+json`, `*+text`, `*+xml`, `application/javascript`, `application/json`, `application/wasm`, `application/x-ndjson`, `application/xml`, `text/*` | the media types that are compressed: `text/*` stands for all texts but event streams, `*+json` for all types with this suffix |
 */
export const CompressionConfig = Config.section("compression", {
  codings: Schema.Array(Schema.Literals(codings))
    .check(Schema.isMinLength(1), Schema.isUnique())
    .pipe(Config.withDefault(codings)),
  threshold: Config.ByteSize.check(Schema.isGreaterThan(0)).pipe(
    Config.expected('a size above zero, such as "1 KiB"'),
    Config.withDefault("1 KiB")
  ),
  types: Schema.Array(MediaType).pipe(
    Config.withDefault([
      "*+json",
      "*+text",
      "*+xml",
      "application/javascript",
      "application/json",
      "application/wasm",
      "application/x-ndjson",
      "application/xml",
      "text/*"
    ])
  )
})
