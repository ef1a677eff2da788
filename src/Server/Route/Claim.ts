/** Claims of routes on requests, as the problems of assembly name them. */
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"

/** A route and its owner. */
export interface Claim {
  /** Undefined for a route of a plain router. */
  readonly endpoint: HttpApiEndpoint.Top | undefined
  readonly group: string
  readonly method: string
  /** In the syntax of the contract, or of the router. */
  readonly path: string
  readonly plugin: string
}

/** Returns the words for a claim in a message: method, path, and owner. */
export const named = ({ endpoint, group, method, path, plugin }: Claim): string => {
  const name = endpoint === undefined ? "" : `"${endpoint.identifier}" of `
  return `${method} ${path} (${name}group "${group}", plugin "${plugin}")`
}
