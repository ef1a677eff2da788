/** Contracts whose replies cannot have the status that they declare. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { ApiError, Created, Plugin, Route } from "flange"
import { assert, describe, it } from "vitest"
import * as ImpossibleReply from "../../../src/Server/Codec/ImpossibleReply.ts"

const get = HttpApiEndpoint.get

class NotFound extends ApiError.make<NotFound>()("NotFound", {
  code: "NOT_FOUND",
  detail: "It does not exist",
  status: 404
}) {}

class Taken extends ApiError.make<Taken>()("Taken", {
  code: "TAKEN",
  detail: "Another caller has it",
  status: 409
}) {}

class Plain extends Schema.TaggedError<Plain>()("Plain", {}) {}

const One = Schema.Struct({ a: Schema.String })
const Two = Schema.Struct({ b: Schema.String })

const messagesOf = (endpoint: HttpApiEndpoint.Constraint) =>
  ImpossibleReply.problems([
    Plugin.make("app:items", {
      routes: [
        Route.public(
          // A list has no types for its handlers, and no handler is called.
          HttpApiGroup.make("items").add(endpoint as never) as never,
          (() => Effect.die("not called")) as never
        ) as Route.Route<never, never>
      ]
    })
  ]).map(({ message }) => message)

describe("a union of several statuses is a problem of assembly", () => {
  it.each<[endpoint: HttpApiEndpoint.Constraint, declared: string]>([
    [get("a", "/a", { error: Schema.Union([NotFound, Taken]) }), "404, 409"],
    [get("a", "/a", { error: [Plain, Schema.Union([Plain, Taken])] }), "409"],
    [get("a", "/a", { error: Schema.Union([Plain, Schema.Union([Taken, NotFound])]) }), "404, 409"]
  ])("as error %#", (endpoint, declared) => {
    assert.deepStrictEqual(messagesOf(endpoint), [
      `GET /a ("a" of group "items", plugin "app:items") has a union as \`error\`, and a union has one status: all its members would be sent with 500, and some declare ${declared}. Write a list, \`error: [A, B]\`, instead of Schema.Union.`
    ])
  })

  it("as success", () => {
    const [message] = messagesOf(
      get("a", "/a", { success: Schema.Union([One, Two.pipe(HttpApiSchema.status(201))]) })
    )
    assert.include(message, "all its members would be sent with 200, and some declare 201")
  })

  it.each<[what: string, endpoint: HttpApiEndpoint.Constraint]>([
    ["a list", get("a", "/a", { error: [NotFound, Taken], success: [One, Created(Two)] })],
    ["a union without statuses", get("a", "/a", { success: Schema.Union([One, Two]) })],
    [
      "a union with a status for all",
      get("a", "/a", {
        error: Schema.Union([One, Two]).pipe(HttpApiSchema.status(409)),
        success: Schema.Union([One, Two]).pipe(HttpApiSchema.status(202))
      })
    ]
  ])("%s is no problem", (_, endpoint) => {
    assert.deepStrictEqual(messagesOf(endpoint), [])
  })
})
