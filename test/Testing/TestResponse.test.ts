import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TestApp, TestResponse } from "flange/Testing"
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

  const many = Array.from({ length: 2000 }, (_, i) => ({
    id: i,
    name: `item ${i} ${"x".repeat(40)}`
  }))

  it.effect("shows of a large body its start and where it differs", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      const reply = yield* test.post("/echo", { json: { value: { items: many } } })
      expect(reply.text.length).toBeGreaterThan(100_000)
      const changed = many.map((item, i) => (i === 1234 ? { ...item, name: "other" } : item))
      const assertions = [
        () => reply.expectJson({ value: { items: changed } }),
        () => reply.expectJsonMatch({ value: { items: changed } })
      ]
      for (const assertion of assertions) {
        const { message } = failure(assertion)
        expect(message.length).toBeLessThan(2500)
        expect(message).toContain("POST /echo -> 200")
        expect(message).toContain("POST /echo: the body differs from what was expected:")
        expect(message).toContain(
          `  /value/items/1234/name: expected "other", received "item 1234 ${"x".repeat(40)}"`
        )
        expect(message).toContain('{"value":{"items":[{"id":0')
        expect(message).toMatch(/\.\.\. \(\d+ more characters\)$/)
      }
      expect(failure(() => reply.expectStatus(201)).message.length).toBeLessThan(2500)
      const decoding = failure(() => reply.decode(Schema.Struct({ value: Schema.String })))
      expect(decoding.message.length).toBeLessThan(3500)
      expect(decoding.message).toContain("the body does not fit the schema:\nExpected string")
    })
  )

  const differing: ReadonlyArray<readonly [what: string, expected: object, line: string]> = [
    ["another value", { a: 2, b: [1], "c/d~": null }, "  /a: expected 2, received 1"],
    [
      "a missing key",
      { a: 1, b: [1], "c/d~": null, e: "f" },
      '  /e: expected "f", received nothing'
    ],
    ["a key too many", { a: 1, b: [1] }, "  /c~1d~0: expected nothing, received null"],
    [
      "a longer list",
      { a: 1, b: [1, 2], "c/d~": null },
      "  /b: expected 2 elements, received 1 element"
    ],
    ["another type", { a: 1, b: { 0: 1 }, "c/d~": null }, '  /b: expected {"0":1}, received [1]']
  ]

  it.effect.each(differing)("names %s", ([, expected, line]) =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      const reply = yield* test.post("/echo", { json: { value: { a: 1, b: [1], "c/d~": null } } })
      const { message } = failure(() => reply.expectJson({ value: expected }))
      expect(message).toContain(line.replace("/", "/value/"))
    })
  )

  it.effect("lists ten differences", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      const reply = yield* test.post("/echo", { json: { value: { items: many } } })
      const { message } = failure(() => reply.expectJson({ value: { items: many.map(() => 1) } }))
      expect(message.match(/^ {2}\/value\/items\/\d+: expected 1/gm)).toHaveLength(10)
      expect(message).toContain("\n  and more\n")
      expect(message.length).toBeLessThan(4500)
    })
  )

  it("does not show bytes as text", () => {
    const { message } = failure(() =>
      new TestResponse({
        bytes: new Uint8Array(5000).fill(200),
        headers: new Headers(),
        logs: [],
        method: "GET",
        path: `/image?${"q".repeat(5000)}`,
        status: 200
      }).expectStatus(201)
    )
    expect(message).toContain("(5000 bytes that are no text)")
    expect(message.length).toBeLessThan(1000)
  })
})
