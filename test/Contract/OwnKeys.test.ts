/** Keys named like the members of `Object.prototype` are keys as others, for clients of a contract too. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import { TestApp } from "flange/Testing"
import { describe } from "vitest"
import * as OwnKeys from "../../src/Contract/OwnKeys.ts"

const names = Object.getOwnPropertyNames(Object.prototype).filter((name) => name !== "__proto__")

const fieldsOf = <S extends Schema.Constraint>(schema: S) =>
  Object.fromEntries(names.map((name) => [name, schema]))

const Optional = Schema.Struct(fieldsOf(Schema.optionalKey(Schema.FiniteFromString)))

const Tree = Schema.Struct({
  deep: Schema.Array(Optional),
  defaults: Schema.Struct(
    fieldsOf(Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed("made"))))
  ),
  text: Schema.fromJsonString(Optional),
  union: Schema.Union([Schema.Struct({ a: Schema.Int, constructor: Schema.Int }), Optional])
})

const given = (value: unknown) => Object.fromEntries(names.map((name) => [name, value]))

describe("a codec", () => {
  const decode = Schema.decodeUnknownSync(OwnKeys.decoding(Tree))
  const encode = Schema.encodeUnknownSync(OwnKeys.encoding(Tree))

  it("misses the keys that a value does not have", () => {
    const encoded = { deep: [{}], defaults: {}, text: "{}", union: {} }
    expect(decode(encoded)).toEqual({ deep: [{}], defaults: given("made"), text: {}, union: {} })
    expect(encode({ deep: [{}], defaults: given("x"), text: {}, union: {} })).toEqual({
      ...encoded,
      defaults: given("x")
    })
  })

  it("has the keys that a value has", () => {
    const encoded = {
      deep: [given("1")],
      defaults: given("x"),
      text: JSON.stringify(given("2")),
      union: given("3")
    }
    const decoded = {
      deep: [given(1)],
      defaults: given("x"),
      text: given(2),
      union: given(3)
    }
    expect(decode(encoded)).toEqual(decoded)
    expect(encode(decoded)).toEqual(encoded)
  })

  it("reports a key that a value must have as missing", () => {
    const Required = Schema.Struct({ constructor: Schema.String })
    const missing = /Missing key\s+at \["constructor"\]/
    expect(() => Schema.decodeUnknownSync(OwnKeys.decoding(Required))({})).toThrow(missing)
    expect(() => Schema.encodeUnknownSync(OwnKeys.encoding(Required))({})).toThrow(missing)
  })

  it("without such a key stays as it is", () => {
    const Plain = Schema.Struct({ a: Schema.FiniteFromString })
    expect(OwnKeys.decoding(Plain).ast).toBe(Plain.ast)
    expect(OwnKeys.encoding(Plain).ast).toBe(Plain.ast)
  })

  it("may have a part that is declared after the functions are made", () => {
    const Early: Schema.Codec<unknown> = Schema.Struct({
      late: Schema.suspend((): Schema.Codec<unknown> => Late)
    })
    const encodeEarly = OwnKeys.encodeUnknownEffect(Early)
    const decodeEarly = OwnKeys.decodeUnknownEffect(Early)
    const Late = Schema.Struct({ valueOf: Schema.optionalKey(Schema.String) })
    expect(Effect.runSync(encodeEarly({ late: {} }))).toEqual({ late: {} })
    expect(Effect.runSync(decodeEarly({ late: {} }))).toEqual({ late: {} })
  })
})

const Own = Schema.Struct({
  constructor: Schema.optionalKey(Schema.String),
  valueOf: Schema.optionalKey(Schema.String)
})

const Defaults = {
  toString: Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed("made")))
}

class EchoApi extends HttpApiGroup.make("echo").add(
  HttpApiEndpoint.post("form", "/form", {
    payload: Own.pipe(HttpApiSchema.asFormUrlEncoded()),
    success: Own
  }),
  HttpApiEndpoint.get("headers", "/headers", {
    headers: { constructor: Schema.optionalKey(Schema.String) },
    success: Own
  }),
  HttpApiEndpoint.post("json", "/json", { payload: Own, success: Own }),
  HttpApiEndpoint.get("params", "/params/:id/:constructor?", {
    params: { constructor: Schema.optionalKey(Schema.String), id: Schema.String },
    success: Own
  }),
  HttpApiEndpoint.get("query", "/query", { query: Own.fields, success: Own }),
  HttpApiEndpoint.post("withDefaults", "/with-defaults", {
    payload: Schema.Struct(Defaults),
    query: Defaults,
    success: Schema.Array(Schema.String)
  })
) {}

const Echo = Plugin.make("app:echo", {
  routes: [
    Route.public(EchoApi, (handlers) =>
      handlers.handleAll({
        form: ({ payload }) => Effect.succeed(payload),
        headers: ({ headers }) => Effect.succeed(headers as typeof Own.Type),
        json: ({ payload }) => Effect.succeed(payload),
        params: ({ params: { id: _, ...rest } }) => Effect.succeed(rest as typeof Own.Type),
        query: ({ query }) => Effect.succeed(query),
        withDefaults: ({ payload, query }) => Effect.succeed([payload.toString, query.toString])
      })
    )
  ]
})

it.effect("the typed client sends and receives the keys that a value has", () =>
  Effect.gen(function* () {
    const { client } = yield* TestApp.make(App.make("echo", [Echo]))
    for (const value of [{}, { constructor: "c" }, { constructor: "c", valueOf: "v" }]) {
      const own = value as typeof Own.Type
      expect(yield* client.echo.form({ payload: own })).toEqual(value)
      expect(yield* client.echo.json({ payload: own })).toEqual(value)
      expect(yield* client.echo.query({ query: own })).toEqual(value)
    }
    for (const value of [{}, { constructor: "c" }]) {
      const own = value as never
      expect(yield* client.echo.headers({ headers: own })).toEqual(value)
      expect(yield* client.echo.params({ params: { id: "1", ...value } as never })).toEqual(value)
    }
  })
)

it.effect("a reply of a test is decoded without the keys that it does not have", () =>
  Effect.gen(function* () {
    const test = yield* TestApp.make(App.make("echo", [Echo]))
    expect((yield* test.get("/query")).decode(Own)).toEqual({})
  })
)

it.effect("the typed client sends the default of a key that every object inherits", () =>
  Effect.gen(function* () {
    const { client } = yield* TestApp.make(App.make("echo", [Echo]))
    const request = { payload: {}, query: {} } as never
    expect(yield* client.echo.withDefaults(request)).toEqual(["made", "made"])
    const own = { payload: { toString: "a" }, query: { toString: "b" } } as never
    expect(yield* client.echo.withDefaults(own)).toEqual(["a", "b"])
  })
)
