/** The compiler's check of a plugin: compares its lists with its layer and its contributions. */
import type * as Config from "../Config/index.ts"

/** The name of a service for messages; never if its key is not a literal. */
export type NameOf<S> = S extends { readonly key: infer Name extends string } ? Name : never

/** The names of the services in `S` that are configuration sections. */
type SectionNames<S> = S extends Config.Section<infer Name, infer _A> ? Name : never

type Advice<S, Before extends string, After extends string> = [NameOf<S>] extends [never]
  ? { readonly advice: `${Before} it ${After}`; readonly service: S }
  : `${Before} ${NameOf<S>} ${After}`

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
    : {
        readonly provides: Advice<
          Exclude<Own, Provided>,
          "The layer provides",
          "which is not listed: add it to `provides`"
        >
      }
  : [SectionNames<Exclude<Actual, Declared>>] extends [never]
    ? {
        readonly requires: Advice<
          Exclude<Actual, Declared>,
          "The plugin uses",
          "which neither its layer nor its `config` provides: add it to `requires`"
        >
      }
    : {
        readonly config: `The plugin reads the configuration section ${SectionNames<
          Exclude<Actual, Declared>
        >}, which is not listed: add it to \`config\``
      }

type Unprovided<Listed, Actual> = [Exclude<Listed, Actual>] extends [never]
  ? unknown
  : {
      readonly provides: Advice<
        Exclude<Listed, Actual>,
        "`provides` lists",
        "but the layer does not provide it"
      >
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
