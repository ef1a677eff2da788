/** Changes of the contract that documents of a running app describe. */
import type * as HttpApi from "effect/http-api/HttpApi"
import * as Contribution from "./Contribution.ts"

/** Returns the contract with a change that depends on the configuration. */
export type Change = (api: HttpApi.Top) => HttpApi.Top

/**
 * The kind of contribution that changes what documents describe. What does not depend on the
 * configuration is in the contract itself: see `annotate` of a plugin.
 */
export const kind = Contribution.kind<void, Change>()("flange/documented")
