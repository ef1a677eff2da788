/** Adds the chains and scopes of an app to its OpenAPI document. */
import * as Context from "effect/Context"
import type * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Option from "effect/Option"
import * as Authentication from "../../Contract/Authentication.ts"
import { CrossSiteRequest, RateLimited, Unauthenticated } from "../../Contract/Catalogue.ts"
import * as Guard from "../../Contract/Guard.ts"
import { isUpgrade } from "../../Server/EffectInternals.ts"
import * as DocumentedContract from "../../Server/Route/DocumentedContract.ts"
import * as Chain from "./Chain.ts"
import { isSafe } from "./CrossSite.ts"

/** The schemes of a chain by their name in the document. */
type Schemes = Readonly<Record<string, HttpApiSecurity.HttpApiSecurity>>

/** Effect has no scheme for certificates of TLS. The document has `mutualTLS` in the place of this one. */
const mutualTls = HttpApiSecurity.http({ scheme: "mutual-tls" })

/**
 * Returns the contract with security schemes on every endpoint behind a chain. Scopes of
 * guards are listed at each scheme; `any` of several scopes are alternatives. The endpoints
 * also have the 429 of the limit of wrong credentials. The result is for OpenAPI only: the
 * server runs the original contract.
 */
export const annotate = (
  chains: Readonly<Record<string, Chain.Any>>
): ((api: HttpApi.Top) => HttpApi.Top) => {
  const named = schemesOf(chains)
  const refusing = new Set(
    Object.keys(chains).filter((chain) => Chain.refusesCrossSite(chains[chain]!))
  )
  const hasMutualTls = Object.values(chains).some(({ backends }) =>
    backends.some(({ isMutualTls }) => isMutualTls)
  )
  return (api) => {
    const changed = DocumentedContract.changed(api, (endpoint) =>
      secured(refusesCrossSite(endpoint, refusing), named)
    )
    return hasMutualTls ? withMutualTls(changed) : changed
  }
}

/** Returns the contract with `mutualTLS` in its document. */
const withMutualTls = (api: HttpApi.Top): HttpApi.Top =>
  DocumentedContract.withDocument(api, ({ components, ...document }) => ({
    ...document,
    components: {
      ...components,
      securitySchemes: Object.fromEntries(
        Object.entries(components.securitySchemes).map(([name, scheme]) => [
          name,
          scheme.type === "http" && scheme.scheme === mutualTls.scheme
            ? { type: "mutualTLS" }
            : scheme
        ])
      )
    }
  }))

/** The limit of wrong credentials. */
class Guessing extends HttpApiMiddleware.Service<Guessing>()("flange/Auth/Guessing", {
  error: RateLimited
}) {}

/** Returns the contract without the 429 of the limit of wrong credentials. */
export const withoutGuessing = (api: HttpApi.Top): HttpApi.Top =>
  DocumentedContract.changed(api, (endpoint) =>
    DocumentedContract.withMiddlewares(
      endpoint,
      [...endpoint.middlewares].filter(({ key }) => key !== Guessing.key)
    )
  )

class CrossSite extends HttpApiMiddleware.Service<CrossSite>()("flange/OpenApi/crossSite", {
  error: CrossSiteRequest
}) {}

/** Adds 403 to an endpoint behind a chain that refuses requests of other origins' pages. */
const refusesCrossSite = (
  endpoint: HttpApiEndpoint.Top,
  chains: ReadonlySet<string>
): HttpApiEndpoint.Top => {
  const isChecked = [...endpoint.middlewares].some((key) => {
    const { chain } = Authentication.chainOf(key) ?? {}
    return chain !== undefined && chains.has(chain)
  })
  return isChecked && (!isSafe(endpoint.method) || [...endpoint.success].some(isUpgrade))
    ? endpoint.middleware(CrossSite)
    : endpoint
}

const secured = (
  endpoint: HttpApiEndpoint.Top,
  chains: Readonly<Record<string, Schemes>>
): HttpApiEndpoint.Top => {
  const keys: ReadonlyArray<object> = [...endpoint.middlewares]
  const key = keys.map((key) => Authentication.chainOf(key)).find((chain) => chain !== undefined)
  const schemes = key === undefined ? undefined : chains[key.chain]
  if (key === undefined || schemes === undefined) return endpoint
  const limited = DocumentedContract.limited(endpoint, Guessing)
  if (Object.keys(schemes).length === 0) return limited
  const scopes = keys.flatMap((key) => {
    const asked = Guard.decisionOf(key)?.scopes
    return asked === undefined ? [] : [asked]
  })
  const security = HttpApiMiddleware.Service<never>()(`flange/OpenApi/${key.chain}`, {
    error: Unauthenticated,
    security: schemes
  })
  // Other plugins look for the chain.
  const chain = Authentication.asChain(security, key)
  const others = [...limited.middlewares].filter(
    (middleware) => Authentication.chainOf(middleware) === undefined
  )
  return DocumentedContract.withTransform(
    DocumentedContract.withMiddlewares(limited, [...others, chain]),
    (operation) => withScopes(operation, alternatives(scopes), key.optional)
  )
}

/** Returns every list of scopes that satisfies the guards. */
const alternatives = (guards: ReadonlyArray<Guard.Scopes>): ReadonlyArray<ReadonlyArray<string>> =>
  guards.reduce<ReadonlyArray<ReadonlyArray<string>>>(
    (ways, { match, scopes }) =>
      ways.flatMap((way) =>
        match === "all"
          ? [[...new Set([...way, ...scopes])]]
          : scopes.map((scope) => [...new Set([...way, scope])])
      ),
    [[]]
  )

const withScopes = (
  { responses, security, ...operation }: OpenApi.OpenAPISpecOperation,
  ways: ReadonlyArray<ReadonlyArray<string>>,
  optional: boolean
): Record<string, unknown> => ({
  ...operation,
  responses: DocumentedContract.withHeader(responses, 401, "www-authenticate", {
    description: "How to authenticate (RFC 9110, section 11.6.1).",
    required: true,
    schema: { type: "string" }
  }),
  security: [
    ...security.flatMap((requirement) =>
      ways.map((scopes) =>
        Object.fromEntries(Object.keys(requirement).map((name) => [name, [...scopes]]))
      )
    ),
    ...(optional ? [{}] : [])
  ]
})

/** Names schemes by their backend. If two schemes would have one name, the name of the chain comes first. */
const schemesOf = (
  chains: Readonly<Record<string, Chain.Any>>
): Readonly<Record<string, Schemes>> => {
  const taken = new Map<string, string>()
  return Object.fromEntries(
    Object.entries(chains).map(([chain, { backends }]) => [
      chain,
      Object.fromEntries(
        backends.flatMap(({ isMutualTls, name, scheme }) => {
          const security = isMutualTls ? mutualTls : scheme?.security
          if (security === undefined) return []
          const means = JSON.stringify([
            security,
            Option.getOrUndefined(Context.getOption(security.annotations, OpenApi.Format))
          ])
          const plain = taken.get(name) ?? means
          const unique = plain === means ? name : `${chain}-${name}`
          taken.set(unique, means)
          return [[unique, security]]
        })
      )
    ])
  )
}
