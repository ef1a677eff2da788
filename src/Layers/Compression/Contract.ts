/**
 * Compression in contracts. This module has no server code, so a browser can import it.
 */
import * as Context from "effect/Context"

/**
 * The annotation that decides about the compression of the replies of an endpoint, or of the endpoints
 * of a group. The nearest one wins.
 *
 * - `false`: replies are never compressed.
 * - `true`: replies are compressed also if a browser may have added the credentials of the caller by
 *   itself, such as a cookie. Write it only if no reply has a secret beside a text that the request has
 *   brought: the length of a compressed reply tells an attacker parts of the secret (BREACH).
 *
 * The app needs `Compression.plugin`.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import { Compressed } from "flange/Compression/Contract"
 *
 * const FormApi = HttpApiGroup.make("form").add(
 *   HttpApiEndpoint.get("read", "/form").annotate(Compressed, false)
 * )
 * FormApi.endpoints.read.path // => "/form"
 * ```
 */
export class Compressed extends Context.Service<Compressed, boolean>()(
  "flange/Compression/Compressed"
) {}
