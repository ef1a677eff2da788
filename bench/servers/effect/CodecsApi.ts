/** One item in every form that an endpoint takes or replies. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { Item, NewItem } from "./ItemSchemas.ts"

const FormItem = Schema.Struct({ name: Schema.String, price: Schema.Finite })

export class CodecsApi extends HttpApiGroup.make("codecs").add(
  HttpApiEndpoint.post("form", "/codecs/form", {
    payload: FormItem.pipe(HttpApiSchema.asFormUrlEncoded()),
    success: Item
  }),
  HttpApiEndpoint.get("json", "/codecs/json", { success: Item }),
  HttpApiEndpoint.get("located", "/codecs/located", {
    success: HttpApiSchema.WithHeaders(Item, { location: Schema.String })
  }),
  HttpApiEndpoint.post("payload", "/codecs/payload", { payload: NewItem, success: Item }),
  HttpApiEndpoint.get("text", "/codecs/text", {
    success: Schema.String.pipe(HttpApiSchema.asText())
  }),
  HttpApiEndpoint.post("types", "/codecs/types", {
    payload: [
      NewItem,
      NewItem.pipe(HttpApiSchema.asJson({ contentType: "application/merge-patch+json" })),
      NewItem.pipe(HttpApiSchema.asJson({ contentType: "application/vnd.bench.item+json" }))
    ],
    success: Item
  })
) {}
