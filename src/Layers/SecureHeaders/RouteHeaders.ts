/** The security headers of a route. */
import * as Annotation from "../../Server/Route/Annotation.ts"
import type { RouteInfo } from "../../Server/Route/Middleware.ts"
import { SecurityHeaders } from "./Contract.ts"
import { defaults, type SecureHeadersConfig } from "./SecureHeadersConfig.ts"

/** The security headers of a route. */
export interface RouteHeaders {
  /** The headers that all replies have. */
  readonly constant: Readonly<Record<string, string>>
  /** The value of Strict-Transport-Security; undefined for none. */
  readonly hsts: string | undefined
  /** The policy in which a nonce is missing; undefined if the policy is constant. */
  readonly policy: string | undefined
}

const hsts = "strict-transport-security"
const policy = "content-security-policy"

/** What stands for the nonce in a policy. */
export const placeholder = "{nonce}"

/** Returns the function that returns the headers of a route. */
export const make = ({
  contentSecurityPolicy,
  headers,
  hsts: configured
}: (typeof SecureHeadersConfig)["Service"]): ((route: RouteInfo) => RouteHeaders) => {
  const all = {
    ...defaults,
    ...(contentSecurityPolicy === undefined ? {} : { [policy]: contentSecurityPolicy }),
    ...(configured === undefined ? {} : { [hsts]: configured }),
    ...headers
  }
  return (route) => {
    const own = Annotation.nearest(SecurityHeaders, route.endpoint, route.contract)
    const entries = own === false ? [] : Object.entries({ ...all, ...lowerCased(own) })
    const { [hsts]: sentHsts, ...sent } = Object.fromEntries(
      entries.filter(([, value]) => value !== "")
    )
    if (sent[policy]?.includes(placeholder) !== true) {
      return { constant: sent, hsts: sentHsts, policy: undefined }
    }
    const { [policy]: withNonce, ...constant } = sent
    return { constant, hsts: sentHsts, policy: withNonce }
  }
}

const lowerCased = (headers: Readonly<Record<string, string>> = {}) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
