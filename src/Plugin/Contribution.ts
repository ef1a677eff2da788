/**
 * What a plugin adds to an app besides services. A contribution is data: it is
 * listed by `App.describe` before anything is acquired, and only the host that
 * understands its `kind` gives it a meaning.
 */
import type * as Context from "effect/Context"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"

/**
 * The HTTP contract of a route group, by name: `Route.Public<typeof ItemsApi>`. An
 * editor shows the name; the group behind it is computed when `app.api` is read.
 */
export interface Contract {
  // Not `HttpApiGroup.Constraint`: the compiler would compute the group to compare the two.
  readonly "~flange/Group": unknown
}

/** The groups behind the names of contracts. */
export type Group<C extends Contract> = Extract<C["~flange/Group"], HttpApiGroup.Constraint>

/**
 * One thing that a plugin contributes.
 *
 * - `E`: what can fail while it is built, in the acquire phase
 * - `R`: the services it needs
 * - `Contracts`: the HTTP contracts it adds to `app.api`
 * - `Declared`: those of `R` that it lists itself, so that the plugin need not
 */
export interface Contribution<
  out Kind extends string,
  out E = never,
  out R = never,
  out Contracts extends Contract = never,
  out Declared = never
> {
  readonly "~flange/Contracts": Contracts
  readonly "~flange/Error": E
  readonly "~flange/Requires": R
  /** What sort of contribution this is: `route`, `middleware`, `action`. */
  readonly kind: Kind
  /** A name that is unique among the contributions of its kind in one plugin. */
  readonly name: string
  /** Keys of the services it is known to need from its data alone. */
  readonly requires: ReadonlyArray<Context.Key<Declared, unknown>>
}

/** A contribution of any kind. */
export type Any = Contribution<string, unknown, unknown, Contract, unknown>

/** The services that the contributions in the list declare themselves. */
export type Declared<C extends ReadonlyArray<Any>> = Context.Service.Identifier<
  C[number]["requires"][number]
>

/** The contracts that the contributions in the list add. */
export type Contracts<C extends ReadonlyArray<Any>> = C[number]["~flange/Contracts"]

/** What can fail while the contributions in the list are built. */
export type Error<C extends ReadonlyArray<Any>> = C[number]["~flange/Error"]

/** The services that the contributions in the list need. */
export type Requires<C extends ReadonlyArray<Any>> = C[number]["~flange/Requires"]

/**
 * The part of a contribution that every kind shares. The phantom members exist
 * in types only.
 */
export const make = <
  const Kind extends string,
  E = never,
  R = never,
  Contracts extends Contract = never,
  Declared = never
>(
  kind: Kind,
  name: string,
  requires: ReadonlyArray<Context.Key<Declared, unknown>> = []
): Contribution<Kind, E, R, Contracts, Declared> =>
  // The three phantom members carry types and are never read.
  ({ kind, name, requires }) as unknown as Contribution<Kind, E, R, Contracts, Declared>
