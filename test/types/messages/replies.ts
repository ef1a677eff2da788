// Handlers whose reply or whose form does not fit.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Created, Route } from "flange"
import { DesksApi, fitting, ManyApi, room, RoomLocked, RoomsApi } from "./lib.ts"

const { create, list, remove } = fitting

export const missingFields = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create, list, remove,
  read: ({ params }) => Effect.succeed({ id: params.id })
  // ^ expect: The handler of `rooms.read` returns a value that does not fit its `success`: add `features`, `floor`, `name`, `seats`
}))

export const otherFields = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create, list, remove,
  read: Effect.fn(function*({ params }) { return { ...room, features: ["wifi"], id: String(params.id) } })
  // ^ expect: The handler of `rooms.read` returns a value that does not fit its `success`: change `features`, `id`
}))

export const primitive = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create, list: () => Effect.succeed("all"), remove,
  // ^ expect: The handler of `rooms.list` returns a value that does not fit its `success`
  read: () => Effect.succeed(1)
  // ^ expect: The handler of `rooms.read` returns a value that does not fit its `success`
}))

export const withoutHeaders = Route.public(DesksApi, (handlers) => handlers.handleAll({
  create: () => Effect.succeed(room),
  // ^ expect: The reply of `desks.create` has headers: return `Created.at(location, value)`
  read: () => Effect.succeed(room)
  // ^ expect: The reply of `desks.read` has headers: return `HttpApiSchema.withHeaders({ body, headers })`
}))

export const withHeaders = Route.public(DesksApi, (handlers) => handlers.handleAll({
  create: () => Effect.succeed(Created.at("/desks/1", { id: 1 })),
  // ^ expect: The handler of `desks.create` returns a value that does not fit its `success`: add `features`, `floor`, `name`, `seats`
  read: () => Effect.succeed(undefined)
  // ^ expect: The handler of `desks.read` may return no value: return a value that fits its `success`
}))

export const inAList = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create, list: () => Effect.succeed([{ id: 1 }]), remove,
  // ^ expect: The handler of `rooms.list` returns a value that does not fit its `success`: add `features`, `floor`, `name`, `seats`
  read: () => Effect.succeed([room])
  // ^ expect: The handler of `rooms.read` returns a value that does not fit its `success`
}))

export const optional = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create: ({ payload }) => Effect.succeed(payload.seats > 1 ? room : undefined), list, remove,
  // ^ expect: The handler of `rooms.create` may return no value: return a value that fits its `success`
  read: () => Effect.succeed(Option.some(room))
  // ^ expect: The handler of `rooms.read` returns a value that does not fit its `success`: add `features`, `floor`, `id`, `name`, `seats`
}))

export const nested = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create, list, remove: () => Effect.succeed(room),
  // ^ expect: `rooms.remove` declares no `success`, but its handler returns a value: declare it, or end the handler with `Effect.asVoid`
  read: () => Effect.succeed(Effect.succeed(room))
  // ^ expect: The handler of `rooms.read` returns an Effect in an Effect: write `yield*` before the inner one, or use `Effect.flatMap`
}))

export const promise = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create, list, remove,
  read: async () => room
  // ^ expect: The handler of `rooms.read` returns a promise: return an Effect, as in `Effect.promise(() => promise)`
}))

export const plain = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create, list, remove: () => {},
  // ^ expect: The handler of `rooms.remove` returns nothing: return an Effect, as in `Effect.void`
  read: () => room
  // ^ expect: The handler of `rooms.read` returns a value that is not an Effect: return `Effect.succeed(value)`
}))

export const generator = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create, list, remove,
  read: function*() { return room }
  // ^ expect: The handler of `rooms.read` is a generator function: wrap it in `Effect.fn`, as in `Effect.fn(function*(request) { ... })`
}))

export const effect = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create, list, remove: Effect.void,
  // ^ expect: The handler of `rooms.remove` is an Effect: write a function that returns it, as in `() => effect`
  read: Effect.succeed(room)
  // ^ expect: The handler of `rooms.read` is an Effect: write a function that returns it, as in `() => effect`
}))

export const value = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create, list, remove,
  read: "a room"
  // ^ expect: The handler of `rooms.read` is not a function: write a function that returns an Effect
}))

export const never = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create, list, remove,
  read: () => { throw new Error("later") }
  // ^ expect: The handler of `rooms.read` never returns: return an Effect, as in `Effect.fail(error)` or `Effect.die(defect)`
}))

declare const unwritten: never
declare const untyped: any

export const withoutType = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create: untyped, list: () => untyped, remove,
  // ^ expect: The handler of `rooms.list` returns any: give its result a type, so that the compiler can check it
  read: unwritten
}))

export const otherRequest = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create, list, remove,
  read: (request: { readonly params: { readonly id: string } }) => Effect.succeed({ ...room, name: request.params.id })
  // ^ expect: The parameter of the handler of `rooms.read` is not the request of its contract: leave out the type of the parameter
}))

export const one = Route.public(RoomsApi, (handlers) => handlers.handleAll({ create, list, remove }).handle(
  "read", ({ params }) => Effect.succeed({ id: params.id })
  // ^ expect: The handler of `rooms.read` returns a value that does not fit its `success`: add `features`, `floor`, `name`, `seats`
))

export const oneNamed = Route.public(RoomsApi, (handlers) => handlers.handleAll({ create, list, remove }).handle(
  "read", fitting.list
  // ^ expect: The handler of `rooms.read` returns a value that does not fit its `success`
))

export const onePromise = Route.public(RoomsApi, (handlers) => handlers.handleAll({ create, list, remove }).handle(
  "read", async ({ params }) => ({ ...room, id: params.id })
  // ^ expect: The handler of `rooms.read` returns a promise: return an Effect, as in `Effect.promise(() => promise)`
))

export const several = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create: ({ payload }) => Effect.succeed(payload),
  // ^ expect: The handler of `rooms.create` returns a value that does not fit its `success`: add `id`
  list: () => room,
  // ^ expect: The handler of `rooms.list` returns a value that is not an Effect: return `Effect.succeed(value)`
  read: async () => room,
  // ^ expect: The handler of `rooms.read` returns a promise: return an Effect, as in `Effect.promise(() => promise)`
  remove: Effect.void,
  // ^ expect: The handler of `rooms.remove` is an Effect: write a function that returns it, as in `() => effect`
  update: () => Effect.void
  // ^ expect: `rooms` has no endpoint `update`: its endpoints are `create`, `list`, `read`, `remove`
}))

export const extra = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  ...fitting,
  write: () => Effect.void
  // ^ expect: `rooms` has no endpoint `write`: its endpoints are `create`, `list`, `read`, `remove`
}))

export const twice = Route.public(RoomsApi, (handlers) => handlers.handleAll(fitting).handleAll({
  read: fitting.read
  // ^ expect: `rooms.read` has a handler already: remove this one
}))

export const missing = Route.public(RoomsApi, (handlers) => handlers.handleAll({ create, list, remove }))
// ^ expect: `rooms.read` has no handler: add it to `handlers.handleAll`

export const missingInEffect = Route.protected(RoomsApi, Effect.fn(function*(handlers) {
// ^ expect: `rooms` has no handlers for `read`, `remove`: add them to `handlers.handleAll`
  return handlers.handleAll({ create }).handle("list", list)
}))

export const missingMany = Route.public(ManyApi, Effect.fn(function*(handlers) {
// ^ expect: `many` has no handlers for `nine`, `seven`, `six`, `ten`, `three`, `two` and more: add them to `handlers.handleAll`
  return handlers.handleAll({ one: () => Effect.succeed(room) })
}))

export const asyncBuild = Route.public(RoomsApi, async (handlers) => handlers.handleAll(fitting))
// ^ expect: The function of `rooms` returns a promise: use `Effect.fn(function*(handlers) { ... })` instead of an async function

export const generatorBuild = Route.public(RoomsApi, function*(handlers) { return handlers.handleAll(fitting) })
// ^ expect: The function of `rooms` is a generator function: wrap it in `Effect.fn`

export const noReturn = Route.protected(RoomsApi, (handlers) => { handlers.handleAll(fitting) })
// ^ expect: The function of `rooms` does not return the handlers: write `return handlers.handleAll({ ... })`

export const takenOne = Route.public(RoomsApi, (handlers) => handlers.handleAll(fitting).handle(
  "read", fitting.read
  // ^ expect: `rooms.read` has a handler already: remove this one
))

// Each of two mistakes of one handler has its sentence; the compiler prints both.
export const replyAndError = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  create, list, remove,
  read: () => Effect.fail(new RoomLocked()) as Effect.Effect<string, RoomLocked>
  // ^ expect: `RoomLocked` is not among the errors of `rooms.read`: add it to `error`
}))

export const extraOne = Route.public(RoomsApi, (handlers) => handlers.handleAll({ create, list, remove }).handle(
// ^ expect: `rooms.read` has no handler: add it to `handlers.handleAll`
  "write", fitting.read
  // ^ expect: `rooms` has no endpoint `write`: its endpoints are `create`, `list`, `read`, `remove`
))

class AnythingApi extends HttpApiGroup.make("anything").add(
  HttpApiEndpoint.get("read", "/anything", { success: Schema.Any })
) {}

export const anything = Route.public(AnythingApi, (handlers) => handlers.handleAll({
  read: () => room
  // ^ expect: The handler of `anything.read` returns a value that is not an Effect: return `Effect.succeed(value)`
}))
