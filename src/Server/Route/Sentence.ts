/** The compiler's messages about handlers that do not fit their contract. */
import type * as Effect from "effect/Effect"
import type * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import type * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Upgraded } from "../../Contract/Channel.ts"
import type { IsOne, Listing } from "../../Plugin/Listing.ts"

/** The handler that a contract asks for. */
export type Handler = (request: never) => Effect.Effect<unknown, unknown, unknown>

type IsAny<T> = 0 extends T & 1 ? true : false

/** What is wrong with a handler; never if it fits. `At` is the name of its endpoint. */
export type OfHandler<At extends string, Expected extends Handler, Actual> =
  IsAny<Actual> extends true
    ? `The handler of \`${At}\` has the type any: give it a type, so that the compiler can check it`
    : [Actual] extends [never]
      ? `The handler of \`${At}\` has the type never: write a function that returns an Effect`
      : [Actual] extends [(request: Parameters<Expected>[0]) => infer Returned]
        ? OfReturned<At, ReturnType<Expected>, Returned>
        : [Actual] extends [(...args: never) => unknown]
          ? `The parameter of the handler of \`${At}\` is not the request of its contract: leave out the type of the parameter`
          : [Actual] extends [AnyEffect]
            ? `The handler of \`${At}\` is an Effect: write a function that returns it, as in \`() => effect\``
            : `The handler of \`${At}\` is not a function: write a function that returns an Effect`

type AnyEffect = Effect.Effect<unknown, unknown, unknown>

/** Every value but `null` and `undefined`. */
export interface Anything {}

/** What is wrong with what a handler returns; never if it fits. */
export type OfReturned<At extends string, Expected extends AnyEffect, Returned> =
  IsAny<Returned> extends true
    ? `The handler of \`${At}\` returns any: give its result a type, so that the compiler can check it`
    : [Returned] extends [never]
      ? `The handler of \`${At}\` never returns: return an Effect, as in \`Effect.fail(error)\` or \`Effect.die(defect)\``
      : [Returned] extends [AnyEffect]
        ?
            | OfErrors<At, Exclude<Effect.Error<Returned>, Effect.Error<Expected>>>
            | OfServices<At, Effect.Services<Returned>>
            | OfSuccess<At, Effect.Success<Expected>, Effect.Success<Returned>>
        : Anything extends Returned
          ? never // The compiler has not inferred it yet.
          : NoEffect<At, Exclude<Effect.Success<Expected>, Reply>, Exclude<Returned, AnyEffect>>

type NoEffect<At extends string, Expected, Value> = [Value] extends [Promise<unknown>]
  ? `The handler of \`${At}\` returns a promise: return an Effect, as in \`Effect.promise(() => promise)\``
  : [Value] extends [Generator<unknown, unknown, never>]
    ? `The handler of \`${At}\` is a generator function: wrap it in \`Effect.fn\`, as in \`Effect.fn(function*(request) { ... })\``
    : IsChannel<Expected> extends true
      ? OfChannel<At>
      : [Value] extends [void | null | undefined]
        ? `The handler of \`${At}\` returns nothing: return an Effect, as in \`Effect.void\``
        : `The handler of \`${At}\` returns a value that is not an Effect: return \`Effect.succeed(value)\``

/** Whether the handler has to upgrade the connection. */
type IsChannel<Expected> =
  IsAny<Expected> extends true
    ? false
    : [Expected] extends [never]
      ? false
      : [Expected] extends [Upgraded]
        ? true
        : false

type OfChannel<At extends string> =
  `\`${At}\` is a channel, but its handler does not upgrade the connection: return \`served.upgrade((connection) => effect)\`, where \`served\` is \`sockets.channel(Channel)\``

/** The names of errors in messages. */
type ErrorName<E> = E extends { readonly _tag: infer Tag extends string } ? Tag : never

type OfErrors<At extends string, Undeclared> = [Undeclared] extends [never]
  ? never
  : [Exclude<Undeclared, { readonly _tag: string }>] extends [never]
    ? OfNames<At, Undeclared>
    : `The handler of \`${At}\` fails with an error that is not an \`ApiError\`: fail with one that \`error\` of the endpoint lists, or make it a defect with \`Effect.orDie\``

type OfNames<At extends string, Errors> =
  "SqlError" extends ErrorName<Errors>
    ? `The handler of \`${At}\` fails with \`SqlError\`, on which no caller can act: make it a defect with \`Effect.orDie\``
    : [Exclude<Errors, HttpServerRespondable.Respondable>] extends [never]
      ? OfUndeclared<At, ErrorName<Errors>>
      : OfForeign<At, ErrorName<Exclude<Errors, HttpServerRespondable.Respondable>>>

/** Errors without a reply of their own, such as those of libraries and of the batteries' services. */
type OfForeign<At extends string, Names extends string> =
  IsOne<Names> extends true
    ? `The handler of \`${At}\` fails with \`${Names}\`, which is not an \`ApiError\`: make it a defect with \`Effect.orDie\`, or map it to one that \`error\` of the endpoint lists`
    : `The handler of \`${At}\` fails with ${Listing<Names>}, which are not \`ApiError\`s: make them defects with \`Effect.orDie\`, or map them to one that \`error\` of the endpoint lists`

type OfUndeclared<At extends string, Names extends string> =
  IsOne<Names> extends true
    ? `\`${Names}\` is not among the errors of \`${At}\`: add it to \`error\``
    : `${Listing<Names>} are not among the errors of \`${At}\`: add them to \`error\``

type OfServices<At extends string, Needed> = unknown extends Needed
  ? `The handler of \`${At}\` requires a service whose type is unknown: give its Effect a type, as in \`Effect.Effect<A, E, R>\``
  : never

/** Replies that a handler may return instead of a value of its contract. */
type Reply = HttpServerRespondable.Respondable | HttpServerResponse.HttpServerResponse

type OfSuccess<At extends string, Expected, Actual> = [Actual] extends [Expected]
  ? never
  : OfValue<At, Exclude<Expected, Reply>, Exclude<Actual, Expected>>

type OfValue<At extends string, Expected, Value> =
  IsChannel<Expected> extends true
    ? OfChannel<At>
    : [Expected] extends [void]
      ? `\`${At}\` declares no \`success\`, but its handler returns a value: declare it, or end the handler with \`Effect.asVoid\``
      : [Value] extends [void | null | undefined]
        ? `The handler of \`${At}\` may return no value: return a value that fits its \`success\``
        : [Value] extends [AnyEffect]
          ? `The handler of \`${At}\` returns an Effect in an Effect: write \`yield*\` before the inner one, or use \`Effect.flatMap\``
          : [Expected] extends [WithHeaders]
            ? [Value] extends [WithHeaders]
              ? OfValue<At, Expected["body"], Value["body"]>
              : `The reply of \`${At}\` has headers: return ${Expected["headers"] extends { readonly location: string } ? "`Created.at(location, value)`" : "`HttpApiSchema.withHeaders({ body, headers })`"}`
            : `The handler of \`${At}\` returns a value that does not fit its \`success\`${Fields<Expected, Value>}`

/** A reply whose contract declares headers. */
type WithHeaders = HttpApiSchema.withHeaders<unknown, unknown>

/** The fields to add or to change, if there are any. */
type Fields<Expected, Value> = [Value] extends [ReadonlyArray<infer Element>]
  ? [Expected] extends [ReadonlyArray<infer ExpectedElement>]
    ? Fields<ExpectedElement, Element>
    : ""
  : [Expected, Value] extends [object, object]
    ? [Exclude<keyof Expected, keyof Value>] extends [never]
      ? [Misfit<Expected, Value>] extends [never]
        ? ""
        : `: change ${Listing<Misfit<Expected, Value>>}`
      : `: add ${Listing<Exclude<keyof Expected, keyof Value> & string>}`
    : ""

/** The fields whose types do not fit. */
type Misfit<Expected, Value> = {
  [Name in keyof Expected & keyof Value & string]: [Value[Name]] extends [Expected[Name]]
    ? never
    : Name
}[keyof Expected & keyof Value & string]

/** What is wrong with a name for which a handler is written. */
export type OfName<
  GroupName extends string,
  Names extends string,
  Done extends string,
  Name extends string
> = Name extends Done
  ? `\`${GroupName}.${Name}\` has a handler already: remove this one`
  : `\`${GroupName}\` has no endpoint \`${Name}\`: its endpoints are ${Listing<Names>}`

/** What is wrong with the result of a build that is not complete. */
export type OfMissing<GroupName extends string, Missing extends string> =
  IsOne<Missing> extends true
    ? `\`${GroupName}.${Missing}\` has no handler: add it to \`handlers.handleAll\``
    : `\`${GroupName}\` has no handlers for ${Listing<Missing>}: add them to \`handlers.handleAll\``

/** The services of what a handler returns; never if they are unknown. */
export type Services<Returned> =
  unknown extends Effect.Services<Returned> ? never : Effect.Services<Returned>

/** What is wrong with a build that does not return the handlers. */
export type OfBuild<GroupName extends string, Built> = [Built] extends [Promise<unknown>]
  ? `The function of \`${GroupName}\` returns a promise: use \`Effect.fn(function*(handlers) { ... })\` instead of an async function`
  : [Built] extends [Generator<unknown, unknown, never>]
    ? `The function of \`${GroupName}\` is a generator function: wrap it in \`Effect.fn\``
    : `The function of \`${GroupName}\` does not return the handlers: write \`return handlers.handleAll({ ... })\``
