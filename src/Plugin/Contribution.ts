/**
 * Contributions: the parts of a plugin besides its services. A contribution is data that
 * `App.describe` lists before anything is acquired.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import type { Role } from "./Role.ts"

/**
 * The HTTP contract of a route group, by name: `Route.Public<typeof ItemsApi>`. An
 * editor shows the name; the group behind it is computed when `app.api` is read.
 */
export interface Contract {
  /** The middleware that its route adds to the endpoints. */
  readonly "~flange/Added": HttpApiMiddleware.AnyId
  // Without what is added: the compiler would compute the whole group for each comparison.
  readonly "~flange/Group": unknown
  /** The services of its middleware that plugins provide. */
  readonly "~flange/Middlewares": unknown
}

/** The groups behind the names of contracts. */
export type Group<C extends Contract> = C extends unknown
  ? Extract<
      HttpApiGroup.AddMiddleware<C["~flange/Group"], C["~flange/Added"]>,
      HttpApiGroup.Constraint
    >
  : never

/**
 * One thing that a plugin contributes.
 *
 * - `E`: the error with which its build may fail
 * - `R`: the services that it uses
 * - `Contracts`: the HTTP contracts that it adds to `app.api`
 * - `Declared`: the services of `R` that it lists in `requires`, so that the plugin does not
 *   have to list them
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
  /** `action`, `healthCheck`, `middleware`, `route`, or the name of a kind made with `kind`. */
  readonly kind: Kind
  /** A name that is unique among the contributions of its kind in one plugin. */
  readonly name: string
  /** Keys of the services that its data requires, such as the middleware of a contract. */
  readonly requires: ReadonlyArray<Context.Key<Declared, unknown>>
  /**
   * The roles of the processes that carry it out; undefined for all. `Role.assign` sets them. A process of
   * another role does not build it.
   */
  readonly roles: ReadonlyArray<Role> | undefined
}

/** A contribution of any kind. */
export type Any = Contribution<string, unknown, unknown, Contract, unknown>

/** The services that the contributions in the list declare themselves. */
export type Declared<C extends ReadonlyArray<Any>> = Context.Service.Identifier<
  C[number]["requires"][number]
>

/** The contracts that the contributions in the list add. */
export type Contracts<C extends ReadonlyArray<Any>> = C[number]["~flange/Contracts"]

/** The errors with which the builds of the contributions in the list may fail. */
export type Error<C extends ReadonlyArray<Any>> = C[number]["~flange/Error"]

/** The services that the contributions in the list use. */
export type Requires<C extends ReadonlyArray<Any>> = C[number]["~flange/Requires"]

/** Creates the part of a contribution that every kind has. By default it belongs to all roles. */
export const make = <
  const Kind extends string,
  E = never,
  R = never,
  Contracts extends Contract = never,
  Declared = never
>(
  kind: Kind,
  name: string,
  requires: ReadonlyArray<Context.Key<Declared, unknown>> = [],
  roles?: ReadonlyArray<Role>
): Contribution<Kind, E, R, Contracts, Declared> =>
  // The three phantom members carry types and are never read.
  ({ kind, name, requires, roles }) as unknown as Contribution<Kind, E, R, Contracts, Declared>

/**
 * A contribution that plugins read with `AppRuntime.contributions`. It has data, which is
 * known before anything is acquired, and a value, which is built after the layer of its
 * plugin. Routes and middleware are not open: the server builds them.
 */
export interface Open<
  out Kind extends string,
  out Data,
  out Value,
  out E = never,
  out R = never,
  out Declared = never
> extends Contribution<Kind, E, R, never, Declared> {
  /**
   * Builds the value, in the acquire phase of the plugin and in its scope. `services` are
   * those of the app so far.
   */
  readonly build: (services: Context.Context<R>) => Effect.Effect<Value, E, R>
  readonly data: Data
}

/** An open contribution of any kind. */
export type AnyOpen = Open<string, unknown, unknown, unknown, unknown, unknown>

/** Creates an open contribution. */
export const open = <
  const Kind extends string,
  Data,
  Value,
  E = never,
  R = never,
  Declared = never
>(
  kind: Kind,
  name: string,
  data: Data,
  build: (services: Context.Context<R>) => Effect.Effect<Value, E, R>,
  requires?: ReadonlyArray<Context.Key<Declared, unknown>>,
  roles?: ReadonlyArray<Role>
): Open<Kind, Data, Value, E, R, Declared> => ({
  ...make<Kind, E, R, never, Declared>(kind, name, requires, roles),
  build,
  data
})

/** Whether a contribution is open. */
export const isOpen = (contribution: Any): contribution is AnyOpen => "data" in contribution

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
  /**
   * Creates a contribution of this kind. A kind with a value takes `build`, the effect that
   * builds it.
   */
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
 * Declares a kind of contribution by the type of its data and the type of its value. The
 * value of a contribution is built when its plugin is acquired. A kind without a value has
 * data only. A process builds and lists the contributions of its role only.
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
  <const Name extends string>(
    name: Name,
    options: {
      /** The roles whose processes carry out contributions of this kind. Default: all. */
      readonly roles?: ReadonlyArray<Role> | undefined
    } = {}
  ): Kind<Name, Data, Value> =>
    // The two phantom members are never read. `Make` depends on `Value`, which the caller knows.
    ({
      make: (contribution: string, data: Data, build: Effect.Effect<unknown> = Effect.void) =>
        open(name, contribution, data, () => build, undefined, options.roles),
      name
    }) as unknown as Kind<Name, Data, Value>
