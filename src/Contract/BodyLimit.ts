/** The limit on the body of an endpoint, as part of its contract. */
import * as Context from "effect/Context"

/**
 * The annotation for the longest body of an endpoint in bytes. The default is
 * `server.bodyLimit`.
 */
export class BodyLimit extends Context.Service<BodyLimit, number>()("flange/BodyLimit") {}
