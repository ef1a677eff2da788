/** The limit on the bodies of an endpoint or a group, as part of its contract. */
import * as Context from "effect/Context"

/**
 * The annotation for the longest body of an endpoint, or of each endpoint of a group, in bytes, also if
 * the body is read as a stream. The endpoint's own comes first, then `maxTotalSize` of its multipart form, then
 * that of its group, then `server.bodyLimit`. `Number.MAX_SAFE_INTEGER` lifts the limit.
 *
 * @example
 * ```ts
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import { BodyLimit } from "flange/Contract"
 *
 * const uploads = HttpApiGroup.make("uploads").annotate(BodyLimit, 64 * 1024 * 1024)
 * uploads.identifier // => "uploads"
 * ```
 */
export class BodyLimit extends Context.Service<BodyLimit, number>()("flange/BodyLimit") {}
