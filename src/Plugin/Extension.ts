/**
 * Typed extension points: one plugin declares a point and runs it, and other plugins fill
 * it with functions that may use services of their own.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Contribution from "./Contribution.ts"

/** The service of the extension point `Name`. The plugin that declares the point provides it. */
export interface Point<out Name extends string> {
  readonly "~flange/Extension": Name
  readonly key: `flange/Extension/${Name}`
}

/** The function of a contribution that fills a point, bound to the services of its plugin. */
export type Run<Input, Output, Error> = (input: Input) => Effect.Effect<Output, Error>

/** The functions that fill a point, in plugin order. */
export type Fillings<Input, Output, Error> = ReadonlyArray<
  Contribution.Contributed<void, Run<Input, Output, Error>>
>

/**
 * A declared extension point. The plugin that runs it lists it in `extensions`;
 * another plugin that runs it lists it in `requires`.
 *
 * Gotcha: a point has no functions until the plugins that fill it are acquired. Run it in
 * the ready phase or later.
 */
export interface Extension<Name extends string, Input, Output, Error> extends Context.Service<
  Point<Name>,
  Fillings<Input, Output, Error>
> {
  /** Runs every function on the input, one after the other, and returns their outputs. */
  readonly all: (input: Input) => Effect.Effect<ReadonlyArray<Output>, Error, Point<Name>>
  /** Runs the functions until one returns a value that is not `undefined`. Returns that value. */
  readonly first: (
    input: Input
  ) => Effect.Effect<Exclude<Output, undefined> | undefined, Error, Point<Name>>
  readonly name: Name
  /**
   * Runs the first function on the input and every other on the output of the one before
   * it. Returns the last output. Exists if `Output` can be an `Input`.
   */
  readonly waterfall: [Output] extends [Input]
    ? (input: Input) => Effect.Effect<Input, Error, Point<Name>>
    : never
}

/** Any extension point. */
export interface Any extends Context.Key<unknown, unknown> {
  readonly name: string
}

/** The services of the extension points in a list. */
export type Provided<E extends ReadonlyArray<Any>> = Context.Service.Identifier<E[number]>

/**
 * Declares an extension point by the types of its input, output and error.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { App, Extension, Plugin } from "flange"
 * import { TestApp } from "flange/Testing"
 *
 * const Price = Extension.make<number, number>()("price")
 *
 * const Checkout = Plugin.make("shop:checkout", { extensions: [Price] })
 * const Sale = Plugin.make("shop:sale", {
 *   contributes: [Extension.fill(Price, (price) => Effect.succeed(price / 2))]
 * })
 * const Wrapping = Plugin.make("shop:wrapping", {
 *   contributes: [Extension.fill(Price, (price) => Effect.succeed(price + 1))]
 * })
 *
 * const test = Effect.gen(function* () {
 *   const app = yield* TestApp.make(App.make("shop", [Checkout, Sale, Wrapping]))
 *   return yield* app.run(Price.waterfall(10))
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => 6
 * ```
 */
export const make =
  <Input, Output = void, Error = never>() =>
  <const Name extends string>(name: Name): Extension<Name, Input, Output, Error> => {
    const key = Context.Service<Point<Name>, Fillings<Input, Output, Error>>(
      `flange/Extension/${name}`
    )
    const all = (input: Input) =>
      Effect.flatMap(key, (fillings) => Effect.forEach(fillings, ({ value }) => value(input)))
    const first = (input: Input) =>
      Effect.gen(function* () {
        for (const { value } of yield* key) {
          const output = yield* value(input)
          if (output !== undefined) return output
        }
        return undefined
      })
    const waterfall = (input: Input) =>
      Effect.gen(function* () {
        let last = input
        // The type of `waterfall` lets it be called only if every output is an input.
        for (const { value } of yield* key) last = (yield* value(last)) as unknown as Input
        return last
      })
    // `name` is a function's own read-only property on the key, hence defineProperties.
    return Object.defineProperties(key, {
      all: { value: all },
      first: { value: first },
      name: { value: name },
      waterfall: { value: waterfall }
    }) as unknown as Extension<Name, Input, Output, Error>
  }

/**
 * Creates a contribution that fills an extension point with a function. A plugin lists it in
 * `contributes`. An app in which no plugin declares the point does not compile.
 */
export const fill = <Name extends string, Input, Output, Error, R = never>(
  point: Extension<Name, Input, Output, Error>,
  run: (input: Input) => Effect.Effect<NoInfer<Output>, NoInfer<Error>, R>
): Contribution.Open<
  Point<Name>["key"],
  void,
  Run<Input, Output, Error>,
  never,
  Point<Name> | R,
  Point<Name>
> =>
  Contribution.open(
    `flange/Extension/${point.name}`,
    point.name,
    undefined,
    () =>
      Effect.contextWith((context: Context.Context<Point<Name> | R>) =>
        Effect.succeed((input: Input) => Effect.provideContext(run(input), context))
      ),
    [point]
  )
