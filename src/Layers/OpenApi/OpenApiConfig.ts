/** The configuration section `openapi`. */
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

const Path = (fallback: string) =>
  Schema.String.check(
    Schema.isPattern(/^\/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]$/, {
      expected: "a path that begins with / and does not end with it"
    })
  ).pipe(Config.withDefault(fallback))

/**
 * Section `openapi`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `access` | `public`, in production `off` | who may read the document and the pages: `public` for everybody, `off` for nobody |
 * | `documentPath` | `/openapi.json` | where the document is |
 * | `enabled` | `true` | `false` adds none of the routes |
 * | `scalarPath` | `/docs` | where the Scalar page is |
 * | `swaggerPath` | `/swagger-ui` | where Swagger UI is, with a slash after it |
 */
export const OpenApiConfig = Config.section("openapi", {
  access: Schema.optionalKey(Schema.Literals(["off", "public"])),
  documentPath: Path("/openapi.json"),
  enabled: Schema.Boolean.pipe(Config.withDefault(true)),
  scalarPath: Path("/docs"),
  swaggerPath: Path("/swagger-ui")
})
