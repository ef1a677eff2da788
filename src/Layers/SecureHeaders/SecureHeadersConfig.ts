/** The configuration section `secureHeaders`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

/** What a value may consist of. Source: RFC 9110, section 5.5. */
const Value = Schema.String.check(
  Schema.isPattern(/^[\t\x20-\x7e]*$/, { expected: "a header value of printable ASCII" })
)

/** A header's name. Source: RFC 9110, section 5.6.2. */
const Name = Schema.String.check(
  Schema.isPattern(/^[a-z0-9!#$%&'*+.^_`|~-]+$/, { expected: "a header name in lower case" })
)

/** The policy that helmet sends by default. */
const contentSecurityPolicy =
  "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';" +
  "frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';" +
  "script-src-attr 'none';style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests"

/**
 * Section `secureHeaders`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `contentSecurityPolicy` | helmet's | value of `Content-Security-Policy`; empty leaves it out |
 * | `headers` | none | more headers, or other values for those that are sent, by lower-case name; empty leaves one out |
 * | `hsts` | none | value of `Strict-Transport-Security`, such as `max-age=31536000; includeSubDomains`, once every client comes over https |
 */
export const SecureHeadersConfig = Config.section("secureHeaders", {
  contentSecurityPolicy: Value.pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(contentSecurityPolicy))
  ),
  headers: Schema.Record(Name, Value).pipe(Schema.withDecodingDefaultKey(Effect.succeed({}))),
  hsts: Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^max-age=\d+(?:; ?includeSubDomains)?(?:; ?preload)?$/, {
        expected:
          'a value such as "max-age=31536000" or "max-age=31536000; includeSubDomains; preload"'
      })
    )
  )
})
