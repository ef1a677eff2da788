/**
 * Typed actions: named operations that one plugin implements and that other plugins, tests
 * and the command line call. The payload is checked, the success and the errors are in the
 * type, and an app that calls an action without an implementation does not compile.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as OwnKeys from "../Contract/OwnKeys.ts"
import * as ActionMetrics from "./ActionMetrics.ts"
import * as Contribution from "./Contribution.ts"

/** The service of the implementation of the action `Name`. */
export interface Implementation<out Name extends string> {
  readonly "~flange/Action": Name
  readonly key: `flange/Action/${Name}`
}

/** The action's schema refuses the payload. */
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
   * Fails with `ActionPayloadError` if the schema refuses the payload, and with the errors
   * that the action declares.
   */
  readonly call: (
    payload: Payload["Type"]
  ) => Effect.Effect<Success["Type"], ActionPayloadError | Error["Type"], Implementation<Name>>
  readonly error: Error
  readonly name: Name
  readonly payload: Payload
  readonly success: Success
}

/** The implementation of an action in a running app. */
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

/** Decodes a JSON payload, runs the action, and encodes its result. */
export type RunJson = (payload: unknown) => Effect.Effect<unknown, unknown>

/**
 * The kind of actions: `AppRuntime.contributions(Action.kind)` returns them. The value of
 * each fails with `ActionPayloadError`, or with the action's own error.
 */
export const kind = Contribution.kind<Any, RunJson>()("action")

/** An action with its handler, as a plugin contributes it. */
export interface Implemented<out Name extends string, out R> extends Contribution.Open<
  "action",
  Any,
  RunJson,
  never,
  R
> {
  readonly handler: (payload: never) => Effect.Effect<unknown, unknown, R>
  readonly name: Name
}

/** Whether a contribution is an action with its handler. */
export const isImplemented = (
  contribution: Contribution.Any
): contribution is Implemented<string, unknown> =>
  contribution.kind === kind.name && "handler" in contribution

/** The implementations that the actions in a list of contributions provide. */
export type Provided<A extends ReadonlyArray<unknown>> = ProvidedBy<A[number]>

type ProvidedBy<I> = I extends Implemented<infer Name, infer _R> ? Implementation<Name> : never

/**
 * Declares an action. By default it has no payload, no result and no error.
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
    /** The schema of the failures. Default: it cannot fail. */
    readonly error?: Error
    /** The schema of the argument. Default: it takes none. */
    readonly payload?: Payload
    /** The schema of the result. Default: it returns nothing. */
    readonly success?: Success
  } = {}
): Action<Name, Payload, Success, Error> => {
  const payload: Schema.Top = options.payload ?? Schema.Void
  const decode = OwnKeys.decodeUnknownEffect(Schema.toType(payload), { errors: "all" })
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
 * Implements an action with a handler. A plugin that lists it in `actions` provides the
 * implementation to the others.
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
  // The data of the kind is any action.
  ...Contribution.open(kind.name, action.name, action as Any, (services: Context.Context<R>) =>
    // The schemas of an action may use any service of the app.
    Effect.succeed(runJson(action, services as Context.Context<unknown>))
  ),
  handler,
  name: action.name
})

/**
 * Returns the implementations in a list of contributions, bound to the services of an app.
 * The actions of one list may call each other.
 */
export const implementations = (
  contributions: ReadonlyArray<Contribution.Any>,
  services: Context.Context<unknown>
): Context.Context<unknown> => {
  const measured = ActionMetrics.measuring(services)
  const own: Context.Context<unknown> = contributions.filter(isImplemented).reduce(
    (all, { data, handler }) =>
      Context.add(all, data, (payload: unknown) =>
        // `call` and `RunJson` have decoded the payload by the action's own schema.
        measured(data.name, Effect.provideContext(handler(payload as never), bound))
      ),
    Context.empty() as Context.Context<unknown>
  )
  const bound = Context.merge(services, own)
  return own
}

/**
 * Decodes the JSON payload of an action. Fails with `ActionPayloadError` if its schema refuses the
 * payload. The schema may need services of the app.
 */
export const decodeJson = (
  action: Any
): ((payload: unknown) => Effect.Effect<unknown, ActionPayloadError, unknown>) => {
  const decode = OwnKeys.decodeUnknownEffect(Schema.toCodecJson(action.payload), { errors: "all" })
  return (payload) => Effect.mapError(decode(payload), refused(action.name))
}

const runJson = (action: Any, services: Context.Context<unknown>): RunJson => {
  const decode = decodeJson(action)
  const encode = OwnKeys.encodeUnknownEffect(Schema.toCodecJson(action.success))
  const run = Context.getUnsafe(services, action) as RunJson
  return (payload) =>
    decode(payload).pipe(
      Effect.flatMap(run),
      Effect.flatMap((value) => Effect.orDie(encode(value))),
      Effect.provideContext(services)
    )
}
