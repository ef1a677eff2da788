import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TestApp } from "flange/Testing"
import { failure } from "./failure.ts"
import { app } from "./fixtures.ts"

describe("a failed assertion", () => {
  it.effect("prints method, path, status, request id and body", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      const reply = yield* test.get("/greet/nobody", { headers: { "x-request-id": "rid" } })
      const { actual, expected, message, stack } = failure(() => reply.expectStatus(200))
      expect([actual, expected]).toEqual([404, 200])
      expect(message).toContain("GET /greet/nobody: expected status 200, received 404")
      expect(message).toContain("x-request-id: rid")
      expect(message).toContain('"detail":"Nobody knows nobody"')
      expect(stack).not.toContain("TestResponse.ts")
    })
  )

  it.effect("prints what the app logged for the request", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      const reply = yield* test.get("/broken")
      yield* test.get("/broken")
      const { message } = failure(() => reply.expectStatus(204))
      expect(message.split("secret things")).toHaveLength(2)
    })
  )

  it.effect("is thrown by every assertion that is false, and by no assertion that is true", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      const reply = yield* test.post("/echo", { json: { value: { a: [1, { b: 2 }], c: 3 } } })
      reply
        .expectStatus(200)
        .expectHeader("content-type", "application/json")
        .expectJson({ value: { a: [1, { b: 2 }], c: 3 } })
        .expectJsonMatch({ value: { a: [1, {}] } })
      const Shape = Schema.Struct({ value: Schema.Struct({ c: Schema.Finite }) })
      expect(reply.decode(Shape)).toEqual({ value: { c: 3 } })
      failure(() => reply.expectHeader("content-type", "text/plain"))
      failure(() => reply.expectHeader("content-type", /xml/))
      failure(() => reply.expectHeader("nothing", /./))
      failure(() => reply.expectJson({ value: { a: [1, { b: 2 }] } }))
      failure(() => reply.expectJsonMatch({ value: { a: [1] } }))
      failure(() => reply.expectJsonMatch({ value: { d: 1 } }))
      failure(() => reply.expectProblem("UNKNOWN", 404))
      failure(() => reply.decode(Schema.String))

      const problem = yield* test.get("/greet/nobody")
      problem.expectProblem("UNKNOWN").expectProblem("UNKNOWN", 404, { name: "nobody" })
      failure(() => problem.expectProblem("OTHER"))
      failure(() => problem.expectProblem("UNKNOWN", 400))
      failure(() => problem.expectProblem("UNKNOWN", 404, { name: "somebody" }))

      const empty = yield* test.options("/now")
      expect(failure(() => empty.json).message).toContain("(empty body)")
    })
  )
})
