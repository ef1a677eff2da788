/** The compiler's check of a plugin: its lists against what its layer and its contributions use. */
import type * as Config from "../Config/index.ts"

/** A service's name for a message, or never where it has no literal name. */
export type NameOf<S> = S extends { readonly key: infer Name extends string } ? Name : never

/** The names of those services that are configuration sections. */
type SectionNames<S> = S extends Config.Section<infer Name, infer _A> ? Name : never

type Advice<S, Before extends string, After extends string> = [NameOf<S>] extends [never]
  ? { readonly advice: `${Before} it ${After}`; readonly service: S }
  : `${Before} ${NameOf<S>} ${After}`

/**
 * What a layer provides before the compiler has looked at it. It puts off a call
 * written in place, such as `Layer.succeed(...)`, to a second look, and would
 * refuse the plugin at the first.
 */
export interface Unseen {
  readonly "~flange/Unseen": never
}

/** The check, once the layer was looked at. */
export type OnceSeen<LA, Check> = [Unseen] extends [LA] ? unknown : Check

/** The services of the layer; none where there is no layer. */
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
 * `unknown` for a plugin whose lists say what its parts use and provide; else an
 * option that nobody can give, whose type is the compiler's message.
 *
 * - `Declared`, `Provided`: what it lists in `requires` and `provides`
 * - `Actual`: what its parts use of other plugins
 * - `Own`: what its layer provides
 */
export type Fit<Declared, Actual, Own, Provided> = Undeclared<Declared, Actual, Own, Provided> &
  Unprovided<Provided, Own>
