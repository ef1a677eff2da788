/** The configuration section `cors`. */
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"
import * as Origin from "../../Config/Origin.ts"

const originWords = `${Origin.words}, or "*"`

const AnyOrigin = Schema.String.check(
  Schema.makeFilter((text) => text === "*" || Origin.isOrigin(text), { expected: originWords })
).pipe(Config.expected(originWords))

/** A method or the name of a header. Source: RFC 9110, section 5.6.2. */
const Token = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9!#$%&'+.^_`|~-]+$/, { expected: "a name without spaces and commas" })
)

const Tokens = (...fallback: ReadonlyArray<string>) =>
  Schema.Array(Token).pipe(Config.withDefault(fallback))

/**
 * Section `cors`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `allowedHeaders` | `authorization`, `content-type` | headers that a page may send |
 * | `credentials` | `false` | whether a page may send cookies, and Auth accepts them from it; not with the origin `*` |
 * | `exposedHeaders` | `retry-after`, `x-request-id` | headers of a reply that a page may read |
 * | `maxAge` | 10 min | how long a browser remembers what is allowed |
 * | `methods` | `GET`, `HEAD`, `PUT`, `PATCH`, `POST`, `DELETE` | methods that a page may use |
 * | `openInProduction` | `false` | whether the origin `*` is allowed in the environment `production` |
 * | `origins` | none | origins whose pages may call, such as `https://app.example.com`; `*` alone for all |
 */
export const CorsConfig = Config.section(
  "cors",
  {
    allowedHeaders: Tokens("authorization", "content-type"),
    credentials: Schema.Boolean.pipe(Config.withDefault(false)),
    exposedHeaders: Tokens("retry-after", "x-request-id"),
    maxAge: Config.Duration.pipe(Config.withDefault("10 minutes")),
    methods: Tokens("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"),
    openInProduction: Schema.Boolean.pipe(Config.withDefault(false)),
    origins: Schema.Array(AnyOrigin).pipe(Config.withDefault([]))
  },
  {
    check: ({ credentials, openInProduction, origins }, environment) => {
      if (!origins.includes("*")) return []
      const issues: Array<Config.SectionIssue> = []
      if (origins.length > 1) {
        issues.push({
          expected: "* alone, or a list of origins without it",
          key: "origins",
          reason: "* already allows every origin"
        })
      }
      if (credentials) {
        issues.push({
          expected: "false, or list the origins",
          key: "credentials",
          reason: "browsers refuse credentials with the origin *"
        })
      }
      if (environment === "production" && !openInProduction) {
        issues.push({
          expected: "a list of origins, or set cors.openInProduction = true if that is meant",
          key: "origins",
          reason: "* lets the pages of every site call this service in production"
        })
      }
      return issues
    }
  }
)
