// Handlers that fail with errors which their contract does not have.
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Route } from "flange"
import * as Queue from "flange/Queue"
import { fitting, ManyApi, room, RoomLocked, RoomNameTaken, RoomNotFound, Rooms, RoomsApi, Tenant, TenantApi } from "./lib.ts"

export const inEffect = Route.public(RoomsApi, Effect.fn(function*(handlers) {
  const rooms = yield* Rooms
  return handlers.handleAll({
    ...fitting,
    create: ({ payload }) => rooms.create(payload)
    // ^ expect: `RoomNameTaken` is not among the errors of `rooms.create`: add it to `error`
  })
}))

export const inGenerator = Route.protected(RoomsApi, (handlers) => handlers.handleAll({
  ...fitting,
  create: Effect.fn(function*({ identity, payload }) {
  // ^ expect: `RoomNameTaken` is not among the errors of `rooms.create`: add it to `error`
    if (payload.seats > 10) return yield* new RoomNameTaken({ name: identity.subject })
    return room
  })
}))

const create = (request: { readonly payload: { readonly name: string } }) =>
  Effect.fail(new RoomNameTaken({ name: request.payload.name }))

export const named = Route.bare(RoomsApi, (handlers) => handlers.handleAll({
  ...fitting,
  create
  // ^ expect: `RoomNameTaken` is not among the errors of `rooms.create`: add it to `error`
}))

export const withOptions = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  ...fitting,
  create: { handler: create, options: { uninterruptible: true } }
  // ^ expect: `RoomNameTaken` is not among the errors of `rooms.create`: add it to `error`
}))

export const one = Route.public(RoomsApi, (handlers) => handlers.handleAll({ list: fitting.list, read: fitting.read, remove: fitting.remove }).handle(
  "create", ({ payload }) => Effect.fail(new RoomNameTaken({ name: payload.name }))
  // ^ expect: `RoomNameTaken` is not among the errors of `rooms.create`: add it to `error`
))

export const oneInGenerator = Route.optional(RoomsApi, (handlers) => handlers.handleAll({ list: fitting.list, read: fitting.read, remove: fitting.remove }).handle(
  "create", Effect.fn(function*({ payload }) {
  // ^ expect: `RoomNameTaken` is not among the errors of `rooms.create`: add it to `error`
    return yield* new RoomNameTaken({ name: payload.name })
  })
))

export const raw = Route.public(RoomsApi, (handlers) => handlers.handleAll({ list: fitting.list, read: fitting.read, remove: fitting.remove }).handleRaw(
  "create", ({ request }) => Effect.fail(new RoomNameTaken({ name: request.url }))
  // ^ expect: `RoomNameTaken` is not among the errors of `rooms.create`: add it to `error`
))

export const several = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  ...fitting,
  list: () => Effect.fail(new RoomLocked()),
  // ^ expect: `RoomLocked` is not among the errors of `rooms.list`: add it to `error`
  read: ({ params }) => params.id === 1 ? Effect.fail(new RoomLocked()) : Effect.fail(new RoomNameTaken({ name: "" }))
  // ^ expect: `RoomLocked`, `RoomNameTaken` are not among the errors of `rooms.read`: add them to `error`
}))

export const notOurs = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  ...fitting,
  list: () => Effect.fail(new Error("no")),
  // ^ expect: The handler of `rooms.list` fails with an error that is not an `ApiError`: fail with one that `error` of the endpoint lists, or make it a defect with `Effect.orDie`
  read: () => Effect.fail("no"),
  // ^ expect: The handler of `rooms.read` fails with an error that is not an `ApiError`: fail with one that `error` of the endpoint lists, or make it a defect with `Effect.orDie`
  remove: () => Effect.fail(undefined)
  // ^ expect: The handler of `rooms.remove` fails with an error that is not an `ApiError`: fail with one that `error` of the endpoint lists, or make it a defect with `Effect.orDie`
}))

export const ofSchema = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  ...fitting,
  read: () => Effect.as(Schema.decodeUnknownEffect(Schema.Int)("1"), room)
  // ^ expect: The handler of `rooms.read` fails with `SchemaError`, which is not an `ApiError`: make it a defect with `Effect.orDie`, or map it to one that `error` of the endpoint lists
}))

const Mails = Queue.make("mails", { payload: Schema.String })

export const ofBatteries = Route.public(RoomsApi, (handlers) => handlers.handleAll({
  ...fitting,
  list: () => Effect.andThen(Mails.enqueue("ada"), Effect.succeed([])),
  // ^ expect: The handler of `rooms.list` fails with `QueueRefused`, `QueueStoreError`, which are not `ApiError`s: make them defects with `Effect.orDie`, or map them to one that `error` of the endpoint lists
  read: ({ params }) => params.id === 1 ? Effect.fail(new RoomNameTaken({ name: "" })) : Effect.as(Schema.decodeUnknownEffect(Schema.Int)("1"), room)
  // ^ expect: The handler of `rooms.read` fails with `SchemaError`, which is not an `ApiError`: make it a defect with `Effect.orDie`, or map it to one that `error` of the endpoint lists
}))

export const many = Route.public(ManyApi, (handlers) => handlers.handleAll({
  one: () => Effect.succeed(room), two: () => Effect.succeed(room), three: () => Effect.succeed(room),
  four: () => Effect.succeed(room), five: () => Effect.succeed(room), six: () => Effect.succeed(room),
  seven: () => Effect.succeed(room), eight: () => Effect.succeed(room), nine: () => Effect.succeed(room),
  ten: () => Effect.succeed(room),
  eleven: ({ payload }) => Effect.fail(new RoomNameTaken(payload))
  // ^ expect: `RoomNameTaken` is not among the errors of `many.eleven`: add it to `error`
}))

// The errors of middleware and of every endpoint need no word in \`error\`.
export const behindMiddleware = Route.public(TenantApi, (handlers) => handlers.handleAll({
  read: ({ params }) => Effect.gen(function*() {
  // ^ expect: `RoomNameTaken` is not among the errors of `tenant.read`: add it to `error`
    if ((yield* Tenant).id === "") return yield* new RoomLocked()
    if (params.id === 1) return yield* new RoomNotFound({ id: 1 })
    return yield* new RoomNameTaken({ name: "" })
  })
}))
