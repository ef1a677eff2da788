/** The configuration section `crossSite`. */
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"
import * as Origin from "../../Config/Origin.ts"

/**
 * Section `crossSite`: which pages of other origins may start requests with the credentials of a
 * browser.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `allowedOrigins` | none | origins whose pages may start requests with cookies and Basic credentials, besides those of `cors.origins` with `cors.credentials` |
 */
export const CrossSiteConfig = Config.section("crossSite", {
  allowedOrigins: Schema.Array(
    Schema.String.check(Schema.makeFilter(Origin.isOrigin, { expected: Origin.words })).pipe(
      Config.expected(Origin.words)
    )
  ).pipe(Config.withDefault([]))
})
