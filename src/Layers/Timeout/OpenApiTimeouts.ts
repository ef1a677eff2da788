/** Adds time limits to the OpenAPI document of an app. */
import type * as HttpApi from "effect/http-api/HttpApi"
import { TimeLimited, Timeout } from "../../Contract/Timeout.ts"
import * as Annotation from "../../Server/Route/Annotation.ts"
import { BareGroup } from "../../Server/Route/BareGroup.ts"
import * as DocumentedContract from "../../Server/Route/DocumentedContract.ts"
import * as Limits from "./Limits.ts"

/**
 * Returns the contract with 504 on every endpoint that has a limit: not on those of bare groups, and not if
 * its contract lifts it. Only the OpenAPI document uses the result; the server runs the original contract.
 */
export const annotate = (api: HttpApi.Top): HttpApi.Top =>
  DocumentedContract.changed(api, (endpoint, group) =>
    Annotation.nearest(BareGroup, group) === true ||
    Limits.declared(Timeout, [endpoint, group]) === Infinity
      ? endpoint
      : DocumentedContract.withMiddlewares(endpoint, [...endpoint.middlewares, TimeLimited])
  )
