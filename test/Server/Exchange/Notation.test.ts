import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import { assert, describe, it } from "vitest"
import * as Notation from "../../../src/Server/Exchange/Notation.ts"

const strict = Notation.strict(Schema.makeFilter((text) => text !== "[]"))

const takes = (ast: SchemaAST.AST, input: unknown) =>
  Exit.isSuccess(
    Schema.decodeUnknownExit(
      Schema.make<Schema.Codec<unknown> & { readonly ast: SchemaAST.AST }>(ast)
    )(input)
  )

/** A part of Flange that a version of Effect may make needless. */
const lenient: ReadonlyArray<readonly [name: string, schema: Schema.Top, text: string]> = [
  ["Date", Schema.Date, "2026-02-30"],
  ["Date", Schema.Date, "0"],
  ["DateTimeUtc", Schema.DateTimeUtc, "2026-02-30"],
  ["DateTimeUtcFromString", Schema.DateTimeUtcFromString, "0"],
  ["DateTimeZoned", Schema.DateTimeZoned, "2026-02-30T00:00:00+00:00"],
  ["Int", Schema.Int, "1e1"],
  ["Int", Schema.Int, "+5"],
  ["Int", Schema.Int, "05"],
  ["BigInt", Schema.BigInt, "05"],
  ["BigDecimal", Schema.BigDecimal, "+5"],
  ["NumberFromString", Schema.NumberFromString, "0x10"]
]

describe("Notation", () => {
  // If one fails, Effect is strict itself, and the check in Notation can go.
  it.each(lenient)(
    "effect still takes another notation of %s, which strict refuses",
    (_, schema, text) => {
      const { ast } = Schema.toCodecStringTree(schema)
      assert.deepStrictEqual([takes(ast, text), takes(strict(ast), text)], [true, false])
    }
  )

  it("a schema without texts of this kind stays as it is", () => {
    const { ast } = Schema.Struct({ a: Schema.String, b: Schema.Array(Schema.Number) })
    assert.strictEqual(strict(ast), ast)
  })

  it("the same schema gives the same result", () => {
    const { ast } = Schema.toCodecStringTree(Schema.Struct({ a: Schema.Int }))
    assert.notStrictEqual(strict(ast), ast)
    assert.strictEqual(strict(ast), strict(ast))
  })

  it("texts inside recursive schemas, classes, encodings and records are strict", () => {
    interface Tree {
      readonly at: Date
      readonly inner: ReadonlyArray<Tree>
    }
    const Tree = Schema.Struct({
      at: Schema.Date,
      inner: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
    })
    class Item extends Schema.Class<Item>("Item")({ at: Schema.Date }) {}
    const days = Schema.Record(Schema.String, Schema.Array(Schema.Date))
    const check = (schema: Schema.Top, wrap: (at: string) => unknown) => {
      const ast = strict(Schema.toCodecJson(schema).ast)
      assert.deepStrictEqual(
        [takes(ast, wrap("2026-02-03")), takes(ast, wrap("2026-02-30"))],
        [true, false]
      )
    }
    check(Tree, (at) => ({ at: "2026-02-03", inner: [{ at, inner: [] }] }))
    check(Item, (at) => ({ at }))
    check(days, (at) => ({ a: [at] }))
    check(Schema.NullOr(Schema.Date), (at) => at)
    check(Schema.fromJsonString(Schema.toCodecJson(Item)), (at) => JSON.stringify({ at }))
  })

  it("the check of JSON runs on texts of JSON only", () => {
    const { ast } = Schema.Struct({
      json: Schema.fromJsonString(Schema.Unknown),
      text: Schema.String
    })
    assert.isTrue(takes(strict(ast), { json: "[1]", text: "[]" }))
    assert.isFalse(takes(strict(ast), { json: "[]", text: "[]" }))
  })
})
