/** A limit that belongs to the contract. */
import * as Context from "effect/Context"

/** The longest body of an endpoint in bytes, as an annotation; `server.bodyLimit` otherwise. */
export class BodyLimit extends Context.Service<BodyLimit, number>()("flange/BodyLimit") {}
