/** The configuration section `secureHeaders`. */
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

/** What a value may consist of. Source: RFC 9110, section 5.5. */
const Value = Schema.String.check(
  Schema.isPattern(/^[\t\x20-\x7e]*$/, { expected: "a header value of printable ASCII" })
)

/** A header's name, as the rest of the server writes it. Source: RFC 9110, section 5.6.2. */
const isName = (text: string) => /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(text)

/** A record whose keys are checked leaves wrong ones out without a word; here they are refused. */
const Headers = Schema.Record(Schema.String, Value).check(
  Schema.makeFilter((headers) =>
    Object.keys(headers)
      .filter((name) => !isName(name))
      .map((name) => ({
        issue: `"${name}" is no header name in lower case: write one such as "permissions-policy"`,
        path: [name]
      }))
  )
)

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
  contentSecurityPolicy: Schema.optionalKey(Value),
  headers: Schema.optionalKey(Headers),
  hsts: Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^max-age=\d+(?:; ?includeSubDomains)?(?:; ?preload)?$/, {
        expected:
          'a value such as "max-age=31536000" or "max-age=31536000; includeSubDomains; preload"'
      })
    )
  )
})
