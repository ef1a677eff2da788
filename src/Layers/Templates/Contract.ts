/**
 * Pages of HTML in contracts. This module has no server code, so a browser can import it.
 */
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Markup from "../../Contract/Markup.ts"

/** Markup that is sent as it is. Templates return it, and print it without escaping it. */
export type Html = Markup.Html

const schema = Schema.String.pipe(
  Schema.decodeTo(
    Schema.declare(Markup.isHtml, {
      [Markup.annotation]: true,
      expected: "markup of a template, or Html.trusted"
    }),
    {
      decode: SchemaGetter.transform(Markup.trusted),
      encode: SchemaGetter.transform(({ markup }: Html) => markup)
    }
  ),
  HttpApiSchema.asText({ contentType: "text/html; charset=utf-8" })
)

/**
 * The schema of a page: the `success` of an endpoint whose reply is `text/html`. Its handler returns what
 * `Templates.html` returns. A text is no page, so no handler sends the text of a client as markup by mistake.
 *
 * It trusts the text that it is decoded from, which is the server's in a client. An app with
 * `Templates.plugin` does not start if an endpoint takes it from clients.
 *
 * `Html.trusted` turns a text into markup that templates print without escaping it. Pass it texts of the app
 * only, or the output of a sanitizer.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import { Html } from "flange/Templates/Contract"
 *
 * class PagesApi extends HttpApiGroup.make("pages").add(
 *   HttpApiEndpoint.get("home", "/", { success: Html })
 * ) {}
 * PagesApi.endpoints.home.path // => "/"
 * Html.trusted("<b>new</b>").markup // => "<b>new</b>"
 * ```
 */
export const Html = Object.assign(schema, { is: Markup.isHtml, trusted: Markup.trusted })
