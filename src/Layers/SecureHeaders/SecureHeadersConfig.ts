/** The configuration section `secureHeaders`. */
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

/**
 * The headers that helmet 8 sends by default, with another Referrer-Policy: with that of helmet, browsers
 * send the forms of a page with `Origin: null`, and the service could not tell them from those of pages
 * of other origins. Strict-Transport-Security is sent over https only.
 */
export const defaults: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';" +
    "frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';" +
    "script-src-attr 'none';style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "origin-agent-cluster": "?1",
  "referrer-policy": "same-origin",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "x-dns-prefetch-control": "off",
  "x-download-options": "noopen",
  "x-frame-options": "SAMEORIGIN",
  "x-permitted-cross-domain-policies": "none",
  "x-xss-protection": "0"
}

/** The characters of a header value. Source: RFC 9110, section 5.5. */
const Value = Schema.String.check(
  Schema.isPattern(/^[\t\x20-\x7e]*$/, { expected: "a header value of printable ASCII" })
)

/**
 * Checks for a header name in lower case, as everywhere in the server. Source: RFC 9110, section
 * 5.6.2.
 */
const isName = (text: string) => /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(text)

/** A record with a schema for its keys drops wrong keys silently. This check refuses them. */
const Headers = Schema.StructWithRest(
  // A variable finds a declared key, although it cannot have the hyphens of its name.
  Schema.Struct(Record.map(defaults, () => Schema.optionalKey(Value))),
  [Schema.Record(Schema.String, Value)]
).check(
  Schema.makeFilter((headers) =>
    Object.keys(headers)
      .filter((name) => !isName(name))
      .map((name) => ({
        issue: `"${name}" is not a header name in lower case: write one such as "permissions-policy"`,
        path: [name]
      }))
  )
)

/**
 * Section `secureHeaders`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `contentSecurityPolicy` | helmet's | value of `Content-Security-Policy`; `{nonce}` in it stands for the nonce of the reply; an empty value removes the header |
 * | `headers` | none | additional headers, or new values of the default ones, by lower-case name; an empty value removes a header |
 * | `hsts` | `max-age=31536000; includeSubDomains` | value of `Strict-Transport-Security`, which only replies over https have; an empty value removes the header |
 */
export const SecureHeadersConfig = Config.section("secureHeaders", {
  contentSecurityPolicy: Schema.optionalKey(Value),
  headers: Schema.optionalKey(Headers),
  hsts: Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^(?:max-age=\d+(?:; ?includeSubDomains)?(?:; ?preload)?)?$/)
    ).pipe(
      Config.expected(
        'a value such as "max-age=31536000" or "max-age=31536000; includeSubDomains; preload", or "" to send none'
      )
    )
  )
})
