/**
 * What a plugin adds to an app besides services. A contribution is data: it is
 * listed by `App.describe` before anything is acquired, and only the host that
 * understands its `kind` gives it a meaning.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
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
  /** What sort of contribution this is: `route`, `middleware`, `action`, or a kind made with `kind`. */
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

/**
 * A contribution that a plugin lists in `contributes`: data that is known before
 * anything is acquired, and a value that is built after the plugin's layer.
 */
export interface Open<
  out Kind extends string,
  out Data,
  out Value,
  out E = never,
  out R = never,
  out Declared = never
> extends Contribution<Kind, E, R, never, Declared> {
  /** Builds the value, in the acquire phase of the plugin and in its scope. */
  readonly build: Effect.Effect<Value, E, R>
  readonly data: Data
}

/** An open contribution of any kind. */
export type AnyOpen = Open<string, unknown, unknown, unknown, unknown, unknown>

/** An open contribution in a running app. */
export interface Contributed<out Data, out Value> {
  readonly data: Data
  readonly name: string
  /** The id of the plugin that contributed it. */
  readonly plugin: string
  readonly value: Value
}

/** A kind of open contribution. `AppRuntime.contributions` returns those of one kind. */
export interface Kind<out Name extends string, in out Data, in out Value> {
  readonly "~flange/Data": (data: Data) => Data
  readonly "~flange/Value": (value: Value) => Value
  /** Makes a contribution of this kind. `build` is asked for if the kind has a value. */
  readonly make: Make<Name, Data, Value>
  readonly name: Name
}

type Make<Name extends string, Data, Value> = [Value] extends [void]
  ? (name: string, data: Data) => Open<Name, Data, Value>
  : <E = never, R = never>(
      name: string,
      data: Data,
      build: Effect.Effect<Value, E, R>
    ) => Open<Name, Data, Value, E, R>

/**
 * Declares a kind of contribution: the type of its data, and the type of the value
 * that is built of each contribution when its plugin is acquired. A kind without a
 * value is data alone.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { App, AppRuntime, Contribution, Plugin } from "flange"
 * import { TestApp } from "flange/Testing"
 *
 * const Report = Contribution.kind<{ readonly every: string }, () => number>()("report")
 *
 * const Sales = Plugin.make("shop:sales", {
 *   contributes: [Report.make("sold", { every: "1 day" }, Effect.succeed(() => 7))]
 * })
 *
 * const test = Effect.gen(function* () {
 *   const app = yield* TestApp.make(App.make("shop", [Sales]))
 *   const { contributions } = yield* app.run(AppRuntime)
 *   return contributions(Report).map(({ data, plugin, value }) => [plugin, data.every, value()])
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => [["shop:sales", "1 day", 7]]
 * ```
 */
export const kind =
  <Data, Value = void>() =>
  <const Name extends string>(name: Name): Kind<Name, Data, Value> =>
    // The two phantom members are never read, and `Make` is decided where `Value` is known.
    ({
      make: (contribution: string, data: Data, build = Effect.void) => ({
        ...make(name, contribution),
        build,
        data
      }),
      name
    }) as unknown as Kind<Name, Data, Value>
