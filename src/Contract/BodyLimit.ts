/** The limit on the body of an endpoint, as part of its contract. */
import * as Context from "effect/Context"

/**
 * The annotation for the longest body of an endpoint in bytes, also if the body is read as a
 * stream. The default is `server.bodyLimit`; `Number.MAX_SAFE_INTEGER` lifts the limit.
 */
export class BodyLimit extends Context.Service<BodyLimit, number>()("flange/BodyLimit") {}
