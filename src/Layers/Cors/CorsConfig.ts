/** The configuration section `cors`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { expectedAnnotation } from "../../Config/Expected.ts"
import * as Config from "../../Config/index.ts"

/** An origin as a browser writes it. Source: RFC 6454, section 6.2. */
const isOrigin = (text: string): boolean => {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s,*"]+$/.test(text)) return false
  return !/^https?:/.test(text) || (URL.canParse(text) && new URL(text).origin === text)
}

const originWords = 'an origin such as "https://app.example.com", without a path, or "*"'

const Origin = Schema.String.check(
  Schema.makeFilter((text) => text === "*" || isOrigin(text), { expected: originWords })
).annotate({ [expectedAnnotation]: originWords })

/** A method or the name of a header. Source: RFC 9110, section 5.6.2. */
const Token = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9!#$%&'+.^_`|~-]+$/, { expected: "a name without spaces and commas" })
)

const Tokens = (...fallback: ReadonlyArray<string>) =>
  Schema.Array(Token).pipe(Schema.withDecodingDefaultKey(Effect.succeed(fallback)))

/**
 * Section `cors`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `allowedHeaders` | `authorization`, `content-type` | headers that a page may send |
 * | `credentials` | `false` | whether a page may send cookies; not with the origin `*` |
 * | `exposedHeaders` | `retry-after`, `x-request-id` | headers of a reply that a page may read |
 * | `maxAge` | 10 min | how long a browser remembers what is allowed |
 * | `methods` | `GET`, `HEAD`, `PUT`, `PATCH`, `POST`, `DELETE` | methods that a page may use |
 * | `openInProduction` | `false` | whether the origin `*` is meant in the environment `production`, which refuses it otherwise |
 * | `origins` | none | origins whose pages may call, such as `https://app.example.com`; `*` alone for all |
 */
export const CorsConfig = Config.section(
  "cors",
  Schema.Struct({
    allowedHeaders: Tokens("authorization", "content-type"),
    credentials: Schema.Boolean.pipe(Schema.withDecodingDefaultKey(Effect.succeed(false))),
    exposedHeaders: Tokens("retry-after", "x-request-id"),
    maxAge: Config.Duration.pipe(Schema.withDecodingDefaultKey(Effect.succeed("10 minutes"))),
    methods: Tokens("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"),
    openInProduction: Schema.Boolean.pipe(Schema.withDecodingDefaultKey(Effect.succeed(false))),
    origins: Schema.Array(Origin).pipe(Schema.withDecodingDefaultKey(Effect.succeed([])))
  }).check(
    Schema.makeFilter(({ credentials, origins }) => {
      if (!origins.includes("*")) return undefined
      if (origins.length > 1) {
        return {
          issue: "* already allows every origin: write it alone, or list origins without it",
          path: ["origins"]
        }
      }
      return credentials
        ? {
            issue: "a browser takes no credentials with the origin *: list the origins",
            path: ["credentials"]
          }
        : undefined
    })
  )
)
