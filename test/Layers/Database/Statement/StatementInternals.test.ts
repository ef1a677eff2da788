/** What Flange takes from the inside of Effect's statements, and whether this version has it. */
import * as Effect from "effect/Effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import { expect, it } from "vitest"
import * as StatementInternals from "../../../../src/Layers/Database/Statement/StatementInternals.ts"

const connection: Connection = {
  execute: () => Effect.succeed([{ by: "execute" }]),
  executeRaw: () => Effect.succeed({ by: "raw" }),
  executeStream: () => Stream.make({ by: "stream" }),
  executeUnprepared: () => Effect.succeed([{ by: "unprepared" }]),
  executeValues: () => Effect.succeed([["values"]]),
  executeValuesUnprepared: () => Effect.succeed([["valuesUnprepared"]])
}

const made = Effect.gen(function* () {
  const compiler = Statement.makeCompiler({
    dialect: "pg",
    onCustom: () => ["", []],
    onIdentifier: (name) => `"${name}"`,
    onInsert: () => ["", []],
    onRecordUpdate: () => ["", []],
    onRecordUpdateSingle: () => ["", []],
    placeholder: (index) => `$${index}`
  })
  const plain = yield* SqlClient.make({
    acquirer: Effect.succeed(connection),
    compiler,
    driver: "test",
    spanAttributes: [["a", 1]]
  })
  const texts: Array<string> = []
  const note = (statement: StatementInternals.Parts, withoutTransform: boolean) => {
    const [sql, params] = statement.compile(withoutTransform)
    texts.push(sql)
    return params
  }
  const own = StatementInternals.runBy(plain, {
    run: (statement, _fiber, call, withoutTransform) =>
      call(connection, "", note(statement, withoutTransform)),
    runLater: (statement, call, withoutTransform) =>
      Effect.suspend(() => call(connection, "", note(statement, withoutTransform))),
    stream: (statement) => {
      note(statement, false)
      return connection.executeStream("", [], undefined)
    }
  })
  return { compiler, own, plain, texts }
}).pipe(Effect.provide(Reactivity.layer), Effect.runPromise)

it("a statement has the fields, and every way to run it goes through the runner", async () => {
  const { compiler, own, plain, texts } = await made
  expect(StatementInternals.partsOf(plain)).toMatchObject({ compiler, spanAttributes: [["a", 1]] })
  const statement = own`select ${1}`
  const results = await Effect.runPromise(
    Effect.all([
      statement,
      statement.withoutTransform,
      statement.raw,
      statement.unprepared,
      statement.values,
      statement.valuesUnprepared,
      Stream.runCollect(statement.stream),
      own.unsafe("select 2")
    ])
  )
  expect(results).toEqual([
    [{ by: "execute" }],
    [{ by: "execute" }],
    { by: "raw" },
    [{ by: "unprepared" }],
    [["values"]],
    [["valuesUnprepared"]],
    [{ by: "stream" }],
    [{ by: "execute" }]
  ])
  expect(texts).toEqual([...Array.from({ length: 7 }, () => "select $1"), "select 2"])
})

it("a statement is a fragment of others, and names and helpers stay", async () => {
  const { own } = await made
  const inner = own`a = ${1}`
  expect(own`select ${own("b")} where ${own.and([inner, own`c = ${2}`])}`.compile()).toEqual([
    'select "b" where (a = $1 AND c = $2)',
    [1, 2]
  ])
  expect(own.safe).toBe(own)
  expect(own.withoutTransforms()).toBe(own)
})
