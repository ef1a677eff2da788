/** Changes of the contract that only documents describe, and that depend on the configuration. */
import type * as Effect from "effect/Effect"
import type * as HttpApi from "effect/http-api/HttpApi"
import type * as Config from "../Config/index.ts"
import * as Contribution from "./Contribution.ts"

/** Returns the contract with a change that depends on the configuration. */
export type Change = (api: HttpApi.Top) => HttpApi.Top

/** The sections of the configuration that a change depends on. */
interface Data {
  readonly config: ReadonlyArray<Config.AnySection>
}

/** The kind of contribution that changes what documents describe. */
export const kind = Contribution.kind<Data, Change>()("flange/documented")

/**
 * Creates a contribution that changes what documents describe. It reads sections of the
 * configuration and no other service, so that `flange openapi` makes the document without acquiring
 * a plugin. What does not depend on the configuration is in the contract itself: see `annotate` of a
 * plugin.
 */
export const make = <const Sections extends ReadonlyArray<Config.AnySection>>(
  name: string,
  config: Sections,
  change: Effect.Effect<Change, never, Sections[number]["Identifier"]>
) => kind.make(name, { config }, change)
