/** The configuration section `cors`. */
import * as Duration from "effect/Duration"
import * as HttpMethod from "effect/http/HttpMethod"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"
import * as Origin from "../../Config/Origin.ts"
import * as Origins from "./Origins.ts"

const originWords = `${Origin.words}, a pattern such as "https://*.example.com", or "*"`

// The check of the section refuses other texts: it can say why.
const AllowedOrigin = Schema.String.pipe(Config.expected(originWords))

/** A method or the name of a header. Source: RFC 9110, section 5.6.2. */
const Token = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9!#$%&'+.^_`|~-]+$/, { expected: "a name without spaces and commas" })
)

/** The name of a header, or `*` for every header. */
const HeaderName = Schema.String.check(
  Schema.isPattern(/^(?:\*|[A-Za-z0-9!#$%&'+.^_`|~-]+)$/, {
    expected: 'a name without spaces and commas, or "*"'
  })
)

const names = (name: typeof Token, ...fallback: ReadonlyArray<string>) =>
  Schema.Array(name).pipe(Config.withDefault(fallback))

/** Browsers read whole seconds, and use two hours or a day of them at most. */
const maxAgeWords = 'a duration of at most 366 days, such as "10 minutes"'

const any = "*"

/** Checks whether a list has `*` beside other values. */
const isMixed = (values: ReadonlyArray<string>): boolean =>
  values.length > 1 && values.includes(any)

/**
 * Section `cors`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `allowedHeaders` | `authorization`, `content-type` | headers that a page may send; `*` alone for all |
 * | `credentials` | `false` | whether a page may send cookies, and Auth accepts them from it; not with the origin `*` |
 * | `exposedHeaders` | `retry-after`, `x-request-id` | headers of a reply that a page may read; `*` alone for all, but not with credentials |
 * | `maxAge` | 10 min | how long a browser remembers what is allowed |
 * | `methods` | `GET`, `HEAD`, `PUT`, `PATCH`, `POST`, `DELETE` | methods that a page may use, standard ones in upper case |
 * | `openToAll` | `false` | whether the origin `*` is allowed outside of the environment `local` |
 * | `origins` | none | origins whose pages may call, such as `https://app.example.com`; `https://*.example.com` for all subdomains, `http://localhost:*` for all ports, `*` alone for all origins |
 * | `privateNetwork` | `false` | whether pages of public sites may call the app in a private network (Private Network Access) |
 */
export const CorsConfig = Config.section(
  "cors",
  {
    allowedHeaders: names(HeaderName, "authorization", "content-type"),
    credentials: Schema.Boolean.pipe(Config.withDefault(false)),
    exposedHeaders: names(HeaderName, "retry-after", "x-request-id"),
    maxAge: Config.Duration.check(
      Schema.makeFilter((time) => Duration.isLessThanOrEqualTo(time, Duration.days(366)), {
        expected: maxAgeWords
      })
    ).pipe(Config.expected(maxAgeWords), Config.withDefault("10 minutes")),
    methods: names(Token, "GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"),
    openToAll: Schema.Boolean.pipe(Config.withDefault(false)),
    origins: Schema.Array(AllowedOrigin).pipe(Config.withDefault([])),
    privateNetwork: Schema.Boolean.pipe(Config.withDefault(false))
  },
  {
    check: (
      { allowedHeaders, credentials, exposedHeaders, methods, openToAll, origins, privateNetwork },
      environment
    ) => {
      const issues: Array<Config.SectionIssue> = []
      for (const [key, values] of Object.entries({ allowedHeaders, exposedHeaders, origins })) {
        if (isMixed(values)) {
          issues.push({
            expected: "* alone, or a list without it",
            key,
            reason: "* already allows everything"
          })
        }
      }
      for (const [i, method] of methods.entries()) {
        const standard = method.toUpperCase()
        // Apps and clients may have methods of their own, in any case.
        if (method !== standard && HttpMethod.isHttpMethod(standard)) {
          const reason = "methods are case-sensitive, and no route has this one"
          issues.push({ expected: JSON.stringify(standard), key: `methods.${i}`, reason })
        }
      }
      for (const [i, origin] of origins.entries()) {
        const reason = Origins.problemOf(origin)
        if (reason !== undefined) {
          issues.push({ expected: originWords, key: `origins.${i}`, reason })
        }
      }
      if (credentials && exposedHeaders.includes(any)) {
        issues.push({
          expected: "the names of the headers",
          key: "exposedHeaders",
          reason: "with credentials, browsers take * for the name of a header"
        })
      }
      if (!origins.includes(any)) return issues
      if (credentials) {
        issues.push({
          expected: "false, or list the origins",
          key: "credentials",
          reason: "browsers refuse credentials with the origin *"
        })
      }
      if (privateNetwork) {
        issues.push({
          expected: "false, or list the origins",
          key: "privateNetwork",
          reason: "the page of every site could call this service in the network of its visitor"
        })
      }
      if (environment !== "local" && !openToAll) {
        issues.push({
          expected: "a list of origins, or set cors.openToAll = true if that is meant",
          key: "origins",
          reason: `* lets the pages of every site call this service in the environment ${environment}`
        })
      }
      return issues
    }
  }
)
