// The contracts and the services of the wrong programs beside this file.
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { ApiError, Created } from "flange"

export class RoomNotFound extends ApiError.make<RoomNotFound>()(
  "RoomNotFound",
  { code: "ROOM_NOT_FOUND", detail: ({ id }) => `There is no room ${id}`, status: 404 },
  { id: Schema.Int }
) {}

export class RoomNameTaken extends ApiError.make<RoomNameTaken>()(
  "RoomNameTaken",
  { code: "ROOM_NAME_TAKEN", detail: ({ name }) => `${name} exists`, status: 409 },
  { name: Schema.String }
) {}

export class RoomLocked extends ApiError.make<RoomLocked>()("RoomLocked", {
  code: "ROOM_LOCKED",
  detail: "The room is locked",
  status: 423
}) {}

export class Room extends Schema.Class<Room>("Room")({
  features: Schema.Array(Schema.Literals(["beamer", "phone"])),
  floor: Schema.String,
  id: Schema.Int,
  name: Schema.String,
  seats: Schema.Int
}) {}

export const NewRoom = Schema.Struct({
  features: Schema.Array(Schema.Literals(["beamer", "phone"])),
  floor: Schema.String,
  name: Schema.String,
  seats: Schema.Int
})

export class Tenant extends Context.Service<Tenant, { readonly id: string }>()("app/Tenant") {}

/** A middleware that provides a service to the handlers behind it. */
export class TenantMiddleware extends HttpApiMiddleware.Service<
  TenantMiddleware,
  { provides: Tenant }
>()("app/TenantMiddleware", { error: RoomLocked }) {}

const read = HttpApiEndpoint.get("read", "/rooms/:id", {
  error: RoomNotFound,
  params: { id: Schema.Int },
  success: Room
})
const create = HttpApiEndpoint.post("create", "/rooms", {
  error: [RoomNotFound, RoomLocked],
  payload: NewRoom,
  success: Room
})
const remove = HttpApiEndpoint.delete("remove", "/rooms/:id", { params: { id: Schema.Int } })

export class RoomsApi extends HttpApiGroup.make("rooms").add(
  HttpApiEndpoint.get("list", "/rooms", {
    query: { limit: Schema.optionalKey(Schema.Int) },
    success: Schema.Array(Room)
  }),
  read,
  create,
  remove
) {}

/** A group without a class, with more endpoints than a message can print. */
export const ManyApi = HttpApiGroup.make("many").add(
  HttpApiEndpoint.get("one", "/many/1", { query: { search: Schema.String }, success: Room }),
  HttpApiEndpoint.get("two", "/many/2", { query: { search: Schema.String }, success: Room }),
  HttpApiEndpoint.get("three", "/many/3", { query: { search: Schema.String }, success: Room }),
  HttpApiEndpoint.get("four", "/many/4", { query: { search: Schema.String }, success: Room }),
  HttpApiEndpoint.get("five", "/many/5", { query: { search: Schema.String }, success: Room }),
  HttpApiEndpoint.get("six", "/many/6", { query: { search: Schema.String }, success: Room }),
  HttpApiEndpoint.get("seven", "/many/7", { query: { search: Schema.String }, success: Room }),
  HttpApiEndpoint.get("eight", "/many/8", { query: { search: Schema.String }, success: Room }),
  HttpApiEndpoint.get("nine", "/many/9", { query: { search: Schema.String }, success: Room }),
  HttpApiEndpoint.get("ten", "/many/10", { query: { search: Schema.String }, success: Room }),
  HttpApiEndpoint.post("eleven", "/many/11", { payload: NewRoom, success: Room })
)

export class TenantApi extends HttpApiGroup.make("tenant").add(read).middleware(TenantMiddleware) {}

export class Rooms extends Context.Service<
  Rooms,
  {
    readonly create: (room: typeof NewRoom.Type) => Effect.Effect<Room, RoomLocked | RoomNameTaken>
    readonly list: Effect.Effect<ReadonlyArray<Room>>
    readonly read: (id: number) => Effect.Effect<Room, RoomNotFound>
  }
>()("app/Rooms") {}

export const room = new Room({ features: [], floor: "1", id: 1, name: "Ada", seats: 4 })

/** Handlers that fit. */
export const fitting = {
  create: () => Effect.succeed(room),
  list: () => Effect.succeed([room]),
  read: () => Effect.succeed(room),
  remove: () => Effect.void
}

/** A contract whose replies have headers. */
export class DesksApi extends HttpApiGroup.make("desks").add(
  HttpApiEndpoint.post("create", "/desks", { payload: NewRoom, success: Created(Room) }),
  HttpApiEndpoint.get("read", "/desks/:id", {
    params: { id: Schema.Int },
    success: HttpApiSchema.WithHeaders(Room, { "x-floor": Schema.String })
  })
) {}
