/** Adds the refusal to the OpenAPI document of an app. */
import type * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import { Overloaded } from "../../Contract/Catalogue.ts"
import { BareGroup } from "../../Server/Route/BareGroup.ts"
import * as DocumentedContract from "../../Server/Route/DocumentedContract.ts"
import * as RouteClass from "./RouteClass.ts"

class Shed extends HttpApiMiddleware.Service<Shed>()("flange/Overload/Shed", {
  error: Overloaded
}) {}

/** The group of the Health battery that is not bare; its routes are exempt. */
const probes = "health"

const isExempt = (endpoint: HttpApiEndpoint.Top, group: HttpApiGroup.Top): boolean =>
  group.identifier === probes ||
  group.annotations.mapUnsafe.has(BareGroup.key) ||
  RouteClass.declared(endpoint, group) === "exempt"

/**
 * Returns the contract with 503 `OVERLOADED` on every endpoint that may be refused. Only the OpenAPI
 * document uses the result; the server runs the original contract.
 */
export const annotate = (api: HttpApi.Top): HttpApi.Top =>
  DocumentedContract.changed(api, (endpoint, group) =>
    isExempt(endpoint, group)
      ? endpoint
      : DocumentedContract.withTransform(
          DocumentedContract.withMiddlewares(endpoint, [...endpoint.middlewares, Shed]),
          (operation) => ({
            ...operation,
            responses: DocumentedContract.withHeader(operation.responses, 503, "retry-after", {
              description: "Seconds to wait (RFC 9110, section 10.2.3).",
              schema: { minimum: 1, type: "integer" }
            })
          })
        )
  )
