/** The contract of the endpoint that serves the public keys. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { StrictQuery } from "../../Contract/StrictQuery.ts"

/** The values of the public keys as in a file: an object for each section that has public keys. */
export const Body = Schema.Record(
  Schema.String,
  Schema.Record(Schema.String, Schema.Json)
).annotate({
  identifier: "PublicConfig"
})

/** `GET /config.json`: the values of the public keys. Clients may keep the reply for a minute. */
export class PublicConfigApi extends HttpApiGroup.make("config")
  .add(
    HttpApiEndpoint.get("read", "/config.json", {
      success: HttpApiSchema.WithHeaders(Body, { "cache-control": Schema.String })
    }).annotate(OpenApi.Summary, "The configuration that clients may read")
  )
  .annotate(OpenApi.Description, "What a client has to know of the configuration")
  .annotate(StrictQuery, false) {}
