/**
 * Security headers in contracts. This module has no server code, so a browser can import it.
 */
import * as Context from "effect/Context"

/**
 * The annotation that changes the security headers of an endpoint, or of the endpoints of a group: values
 * by name, which win over those of the section `secureHeaders`. An empty value removes a header, and
 * `false` removes all. The nearest annotation wins, whole. The app needs `SecureHeaders.plugin`.
 *
 * `{nonce}` in `content-security-policy` stands for the nonce of the reply; see `SecureHeaders.nonce`.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import { SecurityHeaders } from "flange/SecureHeaders/Contract"
 *
 * const ImagesApi = HttpApiGroup.make("images").add(
 *   HttpApiEndpoint.get("logo", "/logo.svg").annotate(SecurityHeaders, {
 *     "cross-origin-resource-policy": "cross-origin"
 *   })
 * )
 * ImagesApi.endpoints.logo.path // => "/logo.svg"
 * ```
 */
export class SecurityHeaders extends Context.Service<
  SecurityHeaders,
  false | Readonly<Record<string, string>>
>()("flange/SecureHeaders/SecurityHeaders") {}
