/** Adds time limits to the OpenAPI document of an app. */
import type * as HttpApi from "effect/http-api/HttpApi"
import { TimeLimited, Timeout } from "../../Contract/Timeout.ts"
import * as DocumentedContract from "../../Server/Route/DocumentedContract.ts"
import * as Limits from "./Limits.ts"

/**
 * Returns the contract with 504 on every endpoint whose limit its contract does not lift. Only the OpenAPI
 * document uses the result; the server runs the original contract.
 */
export const annotate = (api: HttpApi.Top): HttpApi.Top =>
  DocumentedContract.changed(api, (endpoint, group) =>
    Limits.declared(Timeout, [endpoint, group]) === Infinity
      ? endpoint
      : DocumentedContract.withMiddlewares(endpoint, [...endpoint.middlewares, TimeLimited])
  )
