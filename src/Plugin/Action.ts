/**
 * Typed actions: named operations that a plugin implements and that other
 * plugins, tests and the command line call. They take the place of a framework's
 * untyped event names: the payload is checked, the success and the errors stand
 * in the type, and an app in which nobody implements a called action does not
 * compile.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Contribution from "./Contribution.ts"

/** The service that stands for the implementation of the action `Name`. */
export interface Implementation<out Name extends string> {
  readonly "~flange/Action": Name
  readonly key: `flange/Action/${Name}`
}

/** A payload that the action's schema refuses. */
export class ActionPayloadError extends Data.TaggedError("ActionPayloadError")<{
  readonly action: string
  readonly issues: string
}> {
  override get message(): string {
    return `Action "${this.action}" was called with a payload that its schema refuses:\n${this.issues}`
  }
}

const format = SchemaIssue.makeFormatterDefault()

const refused =
  (action: string) =>
  ({ issue }: Schema.SchemaError): ActionPayloadError =>
    new ActionPayloadError({ action, issues: format(issue) })

/**
 * A declared action. It is the `Context` key of its implementation, so it goes
 * into the `requires` of a plugin that calls it.
 */
export interface Action<
  Name extends string,
  Payload extends Schema.Top,
  Success extends Schema.Top,
  Error extends Schema.Top
> extends Context.Service<Implementation<Name>, Run<Payload, Success, Error>> {
  /**
   * Checks the payload and runs the implementation.
   *
   * Fails with `ActionPayloadError` for a payload that the schema refuses, and
   * with the errors that the action declares.
   */
  readonly call: (
    payload: Payload["Type"]
  ) => Effect.Effect<Success["Type"], ActionPayloadError | Error["Type"], Implementation<Name>>
  readonly error: Error
  readonly name: Name
  readonly payload: Payload
  readonly success: Success
}

/** The function behind an action once its plugin was acquired. */
export type Run<
  Payload extends Schema.Top,
  Success extends Schema.Top,
  Error extends Schema.Top
> = (payload: Payload["Type"]) => Effect.Effect<Success["Type"], Error["Type"]>

/** Any action. */
export interface Any extends Context.Key<unknown, unknown> {
  readonly error: Schema.Top
  readonly name: string
  readonly payload: Schema.Top
  readonly success: Schema.Top
}

/** An action with its handler, as a plugin contributes it. */
export interface Implemented<out Name extends string, out R> extends Contribution.Contribution<
  "action",
  never,
  R
> {
  readonly action: Any
  readonly handler: (payload: never) => Effect.Effect<unknown, unknown, R>
  readonly name: Name
}

/** The implementations that a list of contributed actions provides. */
export type Provided<A extends ReadonlyArray<unknown>> = ProvidedBy<A[number]>

type ProvidedBy<I> = I extends Implemented<infer Name, infer _R> ? Implementation<Name> : never

/**
 * Declares an action. Every schema has a default: no payload, no result, no error.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { Action } from "flange"
 *
 * const Greet = Action.make("greet", {
 *   payload: Schema.Struct({ name: Schema.NonEmptyString }),
 *   success: Schema.String
 * })
 * Greet.key // => "flange/Action/greet"
 * ```
 */
export const make = <
  const Name extends string,
  Payload extends Schema.Top = Schema.Void,
  Success extends Schema.Top = Schema.Void,
  Error extends Schema.Top = Schema.Never
>(
  name: Name,
  options: {
    readonly error?: Error
    readonly payload?: Payload
    readonly success?: Success
  } = {}
): Action<Name, Payload, Success, Error> => {
  const payload: Schema.Top = options.payload ?? Schema.Void
  const decode = Schema.decodeUnknownEffect(Schema.toType(payload), { errors: "all" })
  const key = Context.Service<Implementation<Name>, Run<Payload, Success, Error>>(
    `flange/Action/${name}`
  )
  const call = (input: Payload["Type"]) =>
    Effect.flatMap(key, (run) =>
      decode(input).pipe(
        Effect.mapError(refused(name)),
        Effect.flatMap((decoded) => run(decoded as Payload["Type"]))
      )
    )
  // `name` is a function's own read-only property on the key, hence defineProperties.
  return Object.defineProperties(key, {
    call: { value: call },
    error: { value: options.error ?? Schema.Never },
    name: { value: name },
    payload: { value: payload },
    success: { value: options.success ?? Schema.Void }
  }) as Action<Name, Payload, Success, Error>
}

/**
 * Gives an action its handler. Goes into the `actions` of a plugin, which then
 * provides the implementation to the others.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { Action, Plugin } from "flange"
 *
 * const Greet = Action.make("greet", { payload: Schema.String, success: Schema.String })
 *
 * const GreetPlugin = Plugin.make("app:greet", {
 *   actions: [Action.implement(Greet, (name) => Effect.succeed(`Hello, ${name}`))]
 * })
 *
 * Effect.runSync(Greet.call("Ada").pipe(Effect.provide(GreetPlugin))) // => "Hello, Ada"
 * ```
 */
export const implement = <
  Name extends string,
  Payload extends Schema.Top,
  Success extends Schema.Top,
  Error extends Schema.Top,
  R = never
>(
  action: Action<Name, Payload, Success, Error>,
  handler: (
    payload: Payload["Type"]
  ) => Effect.Effect<NoInfer<Success["Type"]>, NoInfer<Error["Type"]>, R>
): Implemented<Name, R> => ({
  ...Contribution.make<"action", never, R>("action", action.name),
  action,
  handler,
  name: action.name
})

/** An implemented action in a running app, callable with a value from outside. */
export interface Registered {
  readonly error: Schema.Top
  readonly name: string
  readonly payload: Schema.Top
  /** The id of the plugin that implements it. */
  readonly plugin: string
  /**
   * Decodes a JSON payload, runs the action, and encodes what it gives.
   * Fails with `ActionPayloadError` or with the action's own error.
   */
  readonly runJson: (payload: unknown) => Effect.Effect<unknown, unknown>
  readonly success: Schema.Top
}

/** Binds a contributed action to the services of its app. */
export const register = (
  plugin: string,
  implemented: Implemented<string, unknown>,
  context: Context.Context<unknown>
): {
  readonly registered: Registered
  readonly run: (payload: unknown) => Effect.Effect<unknown, unknown>
} => {
  const { action } = implemented
  const run = (payload: unknown): Effect.Effect<unknown, unknown> =>
    // The payload was decoded by the action's own schema before it comes here.
    Effect.provideContext(implemented.handler(payload as never), context)
  const decode = Schema.decodeUnknownEffect(Schema.toCodecJson(action.payload), { errors: "all" })
  const encode = Schema.encodeUnknownEffect(Schema.toCodecJson(action.success))
  return {
    registered: {
      error: action.error,
      name: action.name,
      payload: action.payload,
      plugin,
      runJson: (payload) =>
        decode(payload).pipe(
          Effect.mapError(refused(action.name)),
          Effect.flatMap(run),
          Effect.flatMap((value) => Effect.orDie(encode(value))),
          Effect.provideContext(context)
        ) as Effect.Effect<unknown, unknown>,
      success: action.success
    },
    run
  }
}
