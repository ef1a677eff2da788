/** Checks handlers and what they return: a program that Node runs may be unchecked. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"

/** The handlers of a group do not fit its contract. Each message is one problem. */
export class UnfitHandlers extends Data.TaggedError("UnfitHandlers")<{
  readonly messages: ReadonlyArray<string>
}> {}

/** Returns the build of a group, which fails with `UnfitHandlers` if its result does not fit. */
export const checked =
  (contract: HttpApiGroup.Top, build: (handlers: unknown) => unknown) =>
  (handlers: unknown): unknown => {
    const built = build(handlers)
    return Effect.isEffect(built)
      ? Effect.flatMap(built, (result) => verify(contract, result))
      : verify(contract, built)
  }

const verify = (contract: HttpApiGroup.Top, built: unknown) => {
  const messages = messagesOf(contract, built)
  return messages.length === 0
    ? Effect.succeed(built)
    : Effect.fail(new UnfitHandlers({ messages }))
}

const messagesOf = (contract: HttpApiGroup.Top, built: unknown): ReadonlyArray<string> => {
  const group = contract.identifier
  const written = handlersOf(built)
  if (written === undefined) {
    return [
      `The function of group "${group}" does not return its handlers. Write \`return handlers.handleAll({ ... })\`.`
    ]
  }
  return [
    ...Object.keys(contract.endpoints)
      .filter((name) => !written.has(name))
      .map(
        (name) =>
          `Endpoint "${group}.${name}" has no handler. Add \`${name}\` to \`handlers.handleAll\`.`
      ),
    ...[...written]
      .filter(([, { handler }]) => typeof handler !== "function")
      .map(
        ([name]) =>
          `The handler of endpoint "${group}.${name}" is not a function. Write a function that returns an Effect.`
      )
  ]
}

/** The handlers by the names of their endpoints; undefined for any other value. */
const handlersOf = (
  built: unknown
): ReadonlyMap<string, { readonly handler: unknown }> | undefined =>
  typeof built === "object" &&
  built !== null &&
  "handlers" in built &&
  built.handlers instanceof Map
    ? built.handlers
    : undefined

/** Returns what the handler of `owner` has returned. Throws if it is not an Effect. */
export const returned = <A, E, R>(
  owner: string,
  value: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  if (Effect.isEffect(value)) return value
  const other: unknown = value
  const remedy =
    other instanceof Promise
      ? "a promise, not an Effect. Write `Effect.promise(() => ...)`, or `Effect.fn(function*(request) { ... })` instead of an async function."
      : "no Effect. Write `Effect.succeed(value)`."
  throw new TypeError(`The handler of ${owner} returned ${remedy}`)
}
