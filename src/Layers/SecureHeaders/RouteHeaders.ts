/** The security headers of a route. */
import type { AssemblyProblem } from "../../Plugin/Errors.ts"
import type * as PluginCheck from "../../Plugin/PluginCheck.ts"
import * as ReplyHeaders from "../../Server/Exchange/ReplyHeaders.ts"
import * as Annotation from "../../Server/Route/Annotation.ts"
import { named } from "../../Server/Route/Claim.ts"
import * as Declared from "../../Server/Route/Declared.ts"
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

/** Returns the problems of annotations whose headers cannot be sent. */
export const check: PluginCheck.Check = ({ plugins }) =>
  Declared.groupsOf(plugins).flatMap(({ contract, endpoints }) =>
    endpoints.flatMap((claim): ReadonlyArray<AssemblyProblem> => {
      const own = Annotation.nearest(SecurityHeaders, claim.endpoint, contract)
      const error = ReplyHeaders.errorOf(Object.entries(own === false ? {} : (own ?? {})).flat())
      if (error === undefined) return []
      const message = `${named(claim)} has SecurityHeaders that cannot be sent. ${error.message}`
      return [{ kind: "InvalidHeader", message, plugins: [claim.plugin] }]
    })
  )
