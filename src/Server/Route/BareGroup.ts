/** Marks the contracts of bare groups. */
import * as Context from "effect/Context"

/** The annotation of bare groups: no slot runs on their routes, so documents show no errors of slots. */
export class BareGroup extends Context.Service<BareGroup, true>()("flange/BareGroup") {}
