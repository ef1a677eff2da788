/**
 * Queues on the admin port. Lists have no payloads: one item is read with its payload by its id, and the fields
 * that the log hides are hidden in it.
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { type Issue, ValidationFailed } from "../../Contract/Catalogue.ts"
import * as AdminRoute from "../../Plugin/AdminRoute.ts"
import * as Issues from "../../Server/Exchange/Issues.ts"
import * as Inspect from "./Inspect.ts"
import { states } from "./QueueStore.ts"

/** The most ids of one request. */
const mostIds = 1000

const Limit = Schema.FiniteFromString.check(
  Schema.isInt(),
  Schema.isBetween({ maximum: 200, minimum: 1 })
)

const ListQuery = Schema.Struct({
  after: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^\d{1,16}$/))),
  limit: Schema.optionalKey(Limit),
  queue: Schema.String,
  state: Schema.optionalKey(Schema.Literals([...states]))
})

const ItemQuery = Schema.Struct({ id: Schema.String, queue: Schema.String })

const Ids = Schema.Array(Schema.String).check(Schema.isMinLength(1), Schema.isMaxLength(mostIds))

const Remove = Schema.Struct({ ids: Ids, queue: Schema.String })

const Requeue = Schema.Struct({
  ids: Schema.Union([Ids, Schema.Literal("dead")]),
  queue: Schema.String
})

const Target = Schema.Struct({ queue: Schema.String })

const refusal = (location: Issue["location"], detail: string, pointer: string) =>
  new ValidationFailed({ errors: [{ detail, location, pointer }] })

const query = <A>(schema: Schema.Codec<A, Readonly<Record<string, string>>>) =>
  Effect.mapError(HttpServerRequest.schemaSearchParams(schema), ({ issue }) =>
    Issues.invalid(Issues.fromSchema("Query", issue))
  )

const body = <A>(schema: Schema.Codec<A, unknown>, expected: string) =>
  Effect.mapError(HttpServerRequest.schemaBodyJson(schema), () =>
    Issues.malformedBody(`Write JSON such as ${expected}, with 1 to ${mostIds} ids if it has ids`)
  )

/** Answers with 400 to a name that no queue has. */
const answered = <A, E, R>(
  location: Issue["location"],
  effect: Effect.Effect<A, E | Inspect.UnknownQueue, R>
) =>
  Effect.map(
    Effect.mapError(effect, (error) =>
      error instanceof Inspect.UnknownQueue ? refusal(location, error.message, "/queue") : error
    ),
    (answer) => HttpServerResponse.jsonUnsafe(answer ?? null)
  )

const list = Effect.flatMap(query(ListQuery), ({ after, limit = 50, queue, state = "dead" }) =>
  answered("query", Inspect.items(queue, { after, limit, state }))
)

const item = Effect.flatMap(query(ItemQuery), ({ id, queue }) =>
  answered(
    "query",
    Effect.flatMap(Inspect.item(queue, id), (found) =>
      found === undefined
        ? Effect.fail(refusal("query", "The queue has no item with this id", "/id"))
        : Effect.succeed(found)
    )
  )
)

const requeue = Effect.flatMap(
  body(Requeue, '{ "queue": "emails", "ids": ["a"] } or { "queue": "emails", "ids": "dead" }'),
  ({ ids, queue }) =>
    answered(
      "body",
      Effect.map(Inspect.requeue(queue, ids), (requeued) => ({ requeued }))
    )
)

const remove = Effect.flatMap(
  body(Remove, '{ "queue": "emails", "ids": ["a"] }'),
  ({ ids, queue }) =>
    answered(
      "body",
      Effect.map(Inspect.remove(queue, ids), (removed) => ({ removed }))
    )
)

const switched = (change: typeof Inspect.pause, paused: boolean) =>
  Effect.flatMap(body(Target, '{ "queue": "emails" }'), ({ queue }) =>
    answered("body", Effect.as(change(queue), { paused, queue }))
  )

/** The routes of the admin port. The Admin battery audits those that change something. */
export const routes = [
  AdminRoute.make(
    "queues",
    { description: "Queues with their numbers of items", method: "GET", path: "/queues" },
    Effect.map(Inspect.queues, HttpServerResponse.jsonUnsafe)
  ),
  AdminRoute.make(
    "queue-items",
    {
      description: "Items of a queue in one state, dead ones by default, without their payloads",
      method: "GET",
      path: "/queues/items"
    },
    list
  ),
  AdminRoute.make(
    "queue-item",
    {
      description: "An item of a queue with its payload, without the fields that the log hides",
      method: "GET",
      path: "/queues/item"
    },
    item
  ),
  AdminRoute.make(
    "requeue-items",
    {
      description: "Makes items of a queue wait again, or all that are dead",
      method: "POST",
      path: "/queues/requeue"
    },
    requeue
  ),
  AdminRoute.make(
    "remove-items",
    {
      description: "Removes items of a queue that are not running",
      method: "POST",
      path: "/queues/remove"
    },
    remove
  ),
  AdminRoute.make(
    "pause-queue",
    {
      description: "Stops the claims of a queue in all processes",
      method: "POST",
      path: "/queues/pause"
    },
    switched(Inspect.pause, true)
  ),
  AdminRoute.make(
    "resume-queue",
    { description: "Ends the pause of a queue", method: "POST", path: "/queues/resume" },
    switched(Inspect.resume, false)
  )
] as const
