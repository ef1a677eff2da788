/** The compiler's check of a plugin: compares its lists with its layer and its contributions. */
import type * as Config from "../Config/index.ts"
import type { It, Listing } from "./Listing.ts"

/**
 * The name of a service for messages: its key, or the id in the type of a service of Effect, such as
 * `effect/sql/SqlClient`. Never if it has no literal name.
 */
export type NameOf<S> = S extends { readonly key: infer Name extends string }
  ? Literal<Name>
  : Extract<keyof S, `~effect/${string}`> extends `~${infer Name}`
    ? Literal<Name>
    : never

type Literal<Name extends string> = {} extends Record<Name, unknown> ? never : Name

/** The names of the services in `S` that are configuration sections. */
type SectionNames<S> = 0 extends S & 1
  ? never // `any`: a mistake elsewhere, which has a message of its own.
  : S extends Config.Section<infer Name, infer _A>
    ? Name
    : never

type Requires<S, Names extends string = NameOf<S>> = [Names] extends [never]
  ? "The plugin uses a service whose type is unknown: give its parts types, and each of its services a key"
  : `The plugin uses ${Listing<Names>}, which neither its layer nor its \`config\` provides: add ${It<Names>} to \`requires\``

type Provides<S, Names extends string = NameOf<S>> = [Names] extends [never]
  ? "The layer provides a service whose type is unknown: give the layer a type, and each of its services a key"
  : `The layer provides ${Listing<Names>}, which \`provides\` does not list: add ${It<Names>} to \`provides\``

type Sections<Names extends string> =
  `The plugin reads the configuration section ${Listing<Names>}, which \`config\` does not list: add ${It<Names>} to \`config\``

/**
 * The services of a layer whose type the compiler has not yet inferred. The compiler checks
 * the argument of `Plugin.make` twice if it contains a call such as `Layer.succeed(...)`; the
 * first time it does not know the layer and would refuse the plugin.
 */
export interface Unseen {
  readonly "~flange/Unseen": never
}

/** The check, after the layer is inferred. */
export type OnceSeen<LA, Check> = [Unseen] extends [LA] ? unknown : Check

/** The services of the layer; never without a layer. */
export type Seen<LA> = Exclude<LA, Unseen>

type Undeclared<Declared, Actual, Own, Provided> = [Exclude<Actual, Declared>] extends [never]
  ? [Exclude<Own, Provided>] extends [never]
    ? unknown
    : { readonly provides: Provides<Exclude<Own, Provided>> }
  : [SectionNames<Exclude<Actual, Declared>>] extends [never]
    ? { readonly requires: Requires<Exclude<Actual, Declared>> }
    : { readonly config: Sections<SectionNames<Exclude<Actual, Declared>>> }

type Unprovided<Listed, Actual> = [Exclude<Listed, Actual>] extends [never]
  ? unknown
  : {
      readonly provides: `\`provides\` lists ${Listing<NameOf<Exclude<Listed, Actual>>>}, but the layer does not provide ${It<NameOf<Exclude<Listed, Actual>>>}`
    }

/**
 * `unknown` if the lists of a plugin agree with the types of its parts. Otherwise an option
 * whose type no value has and is the compiler's message.
 *
 * - `Declared`, `Provided`: the services listed in `requires` and `provides`
 * - `Actual`: the services of other plugins that its parts use
 * - `Own`: the services that its layer provides
 */
export type Fit<Declared, Actual, Own, Provided> = Undeclared<Declared, Actual, Own, Provided> &
  Unprovided<Provided, Own>
