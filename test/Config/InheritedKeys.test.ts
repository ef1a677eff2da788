/** Keys named like the members of `Object.prototype` are keys of a section as others. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { expect, it } from "vitest"
import * as Config from "../../src/Config/index.ts"
import { keysOfSection } from "../../src/Config/Report/Keys.ts"
import { compile } from "../../src/Config/Section.ts"

const Inner = Schema.Struct({
  id: Schema.Int,
  toString: Schema.optionalKey(Schema.String),
  valueOf: Schema.String.pipe(Config.withDefault("inner"))
})

const section = Config.section("shop", {
  constructor: Schema.optionalKey(Schema.String),
  inner: Inner.pipe(Config.public, Config.withDefault({ id: 1 } as typeof Inner.Encoded)),
  toString: Schema.optionalKey(Schema.String),
  valueOf: Schema.String.pipe(Config.public, Config.withDefault("outer"))
})

const loaded = (options: object) =>
  Effect.runPromise(
    Effect.map(
      Config.load({ sections: [section], ...options }).pipe(Effect.provide(NodeServices.layer)),
      ({ context }) => ({
        published: JSON.parse(JSON.stringify(Context.get(context, Config.Published))),
        values: Context.get(context, section)
      })
    )
  )

it("a section without them has their defaults, and publishes them", async () => {
  const values = { inner: { id: 1, valueOf: "inner" }, valueOf: "outer" }
  expect(await loaded({ values: {} })).toEqual({ published: { shop: values }, values })
})

it("a section that sets them has its values, from a file or a variable", async () => {
  const shop = { inner: { id: 2, toString: "a", valueOf: "b" }, toString: "c", valueOf: "d" }
  const { inner, valueOf } = shop
  const expected = { published: { shop: { inner, valueOf } }, values: shop }
  expect(await loaded({ values: { shop } })).toEqual(expected)
  const variables = {
    FLANGE__SHOP__INNER: JSON.stringify(inner),
    FLANGE__SHOP__TO_STRING: "c",
    FLANGE__SHOP__VALUE_OF: "d"
  }
  expect(await loaded({ values: {}, variables })).toEqual(expected)
})

it("their defaults are known", () => {
  const keys = compile([section]).compiled.flatMap(keysOfSection)
  expect(Object.fromEntries(keys.map(({ default: value, key }) => [key, value]))).toEqual({
    "shop.constructor": undefined,
    "shop.inner.id": 1,
    "shop.inner.toString": undefined,
    "shop.inner.valueOf": "inner",
    "shop.toString": undefined,
    "shop.valueOf": "outer"
  })
})
