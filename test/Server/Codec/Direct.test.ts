import { inspect } from "node:util"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaGetter from "effect/SchemaGetter"
import { assert, describe, it } from "vitest"
import * as Direct from "../../../src/Server/Codec/Direct.ts"
import * as DirectResult from "../../../src/Server/Codec/DirectResult.ts"
import * as generated from "./generated.ts"

const astOf = (schema: Schema.Top) => schema.ast

/** Decodes both ways: both have to come to the same. */
const compare = (ast: SchemaAST.AST, input: unknown): boolean => {
  const value = DirectResult.run(Direct.make(ast), input)
  if (value === DirectResult.undecided) return false
  const exit = Effect.runSyncExit(
    Schema.decodeUnknownEffect(Schema.make<Schema.Codec<unknown>>(ast))(input)
  )
  assert.strictEqual(Exit.isSuccess(exit), value !== DirectResult.refused, inspect([value, exit]))
  if (Exit.isSuccess(exit)) {
    assert.deepStrictEqual(value, exit.value)
    assert.deepStrictEqual(keysOf(value), keysOf(exit.value))
  }
  return value !== DirectResult.refused
}

const keysOf = (value: unknown) =>
  typeof value === "object" && value !== null ? Reflect.ownKeys(value) : []

/** Every way from and to a schema's values that an endpoint takes. */
const ways: ReadonlyArray<(schema: Schema.Top) => SchemaAST.AST> = [
  (schema) => schema.ast,
  (schema) => Schema.toCodecJson(schema).ast,
  (schema) => Schema.toCodecArrayFromSingle(Schema.toCodecStringTree(schema)).ast,
  (schema) => Schema.toType(schema).ast
]

const texts = [
  "0",
  "-0",
  "7",
  "007",
  "-7",
  "+7",
  "1.5",
  "-1.50",
  ".5",
  "5.",
  "1e3",
  "1e400",
  "",
  " 7",
  "123456789012345",
  "9007199254740991",
  "9007199254740992",
  "99999999999999999999",
  "true",
  "false",
  "TRUE",
  "null",
  "NaN",
  "Infinity",
  "-Infinity",
  "0x10",
  "1_000",
  "٣",
  "a"
]

describe("Direct", () => {
  it("what it decodes and encodes is what the schema does", () => {
    const next = generated.random(5)
    const decided = { refused: 0, taken: 0 }
    for (let i = 0; i < 1500; i++) {
      const { schema, value } = generated.sample(next, 2)
      for (const way of ways) {
        let ast: SchemaAST.AST
        try {
          ast = way(schema)
        } catch {
          // No text stands for some schemas.
          continue
        }
        for (let j = 0; j < 4; j++) {
          const decoded = j < 2 ? value() : generated.mutate(next, value())
          const taken = compare(SchemaAST.flip(ast), decoded)
          decided[taken ? "taken" : "refused"]++
          const exit = Effect.runSyncExit(
            Schema.encodeUnknownEffect(Schema.make<Schema.Codec<unknown>>(ast))(decoded)
          )
          if (Exit.isFailure(exit)) continue
          compare(ast, exit.value)
          decided[compare(ast, generated.mutate(next, exit.value)) ? "taken" : "refused"]++
        }
      }
    }
    assert.isAbove(decided.taken, 5000)
    assert.isAbove(decided.refused, 2000)
  })

  it("few valid values are left to the schema", () => {
    const next = generated.random(29)
    const left: Array<unknown> = []
    for (let i = 0; i < 1000; i++) {
      const { schema, value } = generated.sample(next, 2)
      const { ast } = Schema.toCodecJson(schema)
      const encoded = DirectResult.run(Direct.make(SchemaAST.flip(ast)), value())
      const decoded =
        encoded === DirectResult.undecided ? encoded : DirectResult.run(Direct.make(ast), encoded)
      if (decoded === DirectResult.undecided) left.push(ast)
    }
    // Those that wait, and those with a key `__proto__`.
    assert.isBelow(left.length, 100)
  })

  it.each<[string, Schema.Top]>([
    ["Int", Schema.Int],
    ["Finite", Schema.Finite],
    ["Number", Schema.Number],
    ["Natural", Schema.Natural],
    ["Boolean", Schema.Boolean],
    ["Literals", Schema.Literals([7, "7", true])],
    ["NumberFromString", Schema.NumberFromString],
    ["a number of a text that is turned round", generated.Reversed],
    ["Int in a range", Schema.Int.pipe(Schema.check(Schema.isBetween({ maximum: 9, minimum: 0 })))]
  ])("a text of %s is what the schema makes of it", (_, schema) => {
    const { ast } = Schema.toCodecStringTree(schema)
    const random = generated.random(17)
    const digits = Array.from({ length: 2000 }, () =>
      Array.from(
        { length: 1 + Math.floor(random() * 4) },
        () => "0123456789.-+eE"[Math.floor(random() * 15)]
      ).join("")
    )
    const taken = [...texts, ...digits].filter((text) => compare(ast, text))
    assert.isAbove(taken.length, 1)
  })

  it("equal schemas are one function, unless code of theirs differs", () => {
    const tagged = (check: Schema.Top) => Schema.Struct({ id: Schema.Int, name: check })
    const same = [tagged(Schema.String), tagged(Schema.String)].map(astOf)
    const minimum = [tagged(Schema.NonEmptyString), tagged(Schema.NonEmptyString)].map(astOf)
    const own = [1, 2].map((length) =>
      astOf(tagged(Schema.String.pipe(Schema.check(Schema.isMinLength(length)))))
    )
    const shared = ([a, b]: ReadonlyArray<SchemaAST.AST>) => Direct.make(a!) === Direct.make(b!)
    assert.deepStrictEqual([same, minimum, own].map(shared), [true, true, false])
    assert.strictEqual(
      DirectResult.run(Direct.make(own[1]!), { id: 1, name: "n" }),
      DirectResult.refused
    )
    assert.deepStrictEqual(DirectResult.run(Direct.make(own[0]!), { id: 1, name: "n" }), {
      id: 1,
      name: "n"
    })
  })

  it("schemas that differ in a name, a literal, a key's optionality or a default are not one", () => {
    const schemas = [
      Schema.Struct({ a: Schema.String }),
      Schema.Struct({ b: Schema.String }),
      Schema.Struct({ a: Schema.optionalKey(Schema.String) }),
      Schema.Struct({ a: Schema.optional(Schema.String) }),
      Schema.Struct({ a: Schema.Literal("1") }),
      Schema.Struct({ a: Schema.Literal(1) }),
      Schema.Struct({ a: Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed("1"))) }),
      Schema.Struct({ a: Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed("2"))) }),
      Schema.Struct({ a: Schema.Trim }),
      Schema.Struct({ a: Schema.Array(Schema.String) }),
      Schema.Struct({ a: Schema.Tuple([Schema.String]) }),
      Schema.Record(Schema.String, Schema.String)
    ]
    const functions = schemas.map(({ ast }) => Direct.make(ast))
    assert.strictEqual(new Set(functions).size, schemas.length)
  })

  it("a schema that has to wait, or sees failures, is left to the schema", () => {
    const caught = Schema.String.pipe(
      Schema.catchDecoding(() => Effect.succeed(Option.some("instead")))
    )
    assert.strictEqual(
      DirectResult.run(Direct.make(generated.later.schema.ast), "later"),
      DirectResult.undecided
    )
    compare(caught.ast, "text")
    compare(caught.ast, 1)
    const optional = Schema.Struct({ a: Schema.optionalKey(caught) })
    compare(optional.ast, {})
  })

  it("a transformation that takes a key away leaves a required key missing", () => {
    const without = Schema.optionalKey(Schema.String).pipe(
      Schema.decodeTo(Schema.String, {
        decode: SchemaGetter.transformOptional(Option.filter((text: string) => text !== "")),
        encode: SchemaGetter.passthrough()
      })
    )
    const { ast } = Schema.Struct({ a: without })
    assert.strictEqual(DirectResult.run(Direct.make(ast), { a: "" }), DirectResult.refused)
    assert.deepStrictEqual(DirectResult.run(Direct.make(ast), { a: "x" }), { a: "x" })
  })

  it("own code of a check runs on what was decoded, and what it throws is thrown", () => {
    const { ast } = Schema.Struct({
      a: Schema.String.pipe(
        Schema.check(
          Schema.makeFilter(() => {
            throw new Error("own code")
          })
        )
      )
    })
    assert.throws(() => DirectResult.run(Direct.make(ast), { a: "x" }), "own code")
  })
})
