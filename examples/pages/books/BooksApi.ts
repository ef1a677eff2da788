/** The contract of the pages. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { Html } from "flange/Templates/Contract"
import { BookId } from "./Book.ts"

export class BooksApi extends HttpApiGroup.make("books").add(
  HttpApiEndpoint.get("list", "/books", {
    query: { title: Schema.optionalKey(Schema.String) },
    success: Html
  }),
  HttpApiEndpoint.get("read", "/books/:id", { params: { id: BookId }, success: Html })
) {}
