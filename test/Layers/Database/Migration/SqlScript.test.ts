import { describe, expect, it } from "vitest"
import { controlsTransaction, split } from "../../../../src/Layers/Database/Migration/SqlScript.ts"
import type { Dialect } from "../../../../src/Layers/Database/SqlText.ts"

const texts = (script: string, dialect: Dialect = "pg") =>
  split(script, dialect).map(({ text }) => text)

describe("a script", () => {
  it("is split at semicolons, with or without the last one", () => {
    expect(texts("select 1; select 2")).toEqual(["select 1", "select 2"])
    expect(texts("select 1;\n;;\nselect 2;\n")).toEqual(["select 1", "select 2"])
    expect(texts("")).toEqual([])
  })

  it("knows the line of each statement, without the comments before it", () => {
    const script = "-- first\n\nselect 1;\n/* a\nb */ select 2;"
    expect(split(script, "pg")).toEqual([
      { line: 3, text: "select 1" },
      { line: 5, text: "select 2" }
    ])
  })

  it("has no statement that is only comment", () => {
    expect(texts("-- select 1;\n/* select 2; */")).toEqual([])
    expect(texts("select 1; -- the end")).toEqual(["select 1"])
  })

  const whole: ReadonlyArray<[string, Dialect, string]> = [
    ["a doubled quote", "pg", "select 'it''s; fine'"],
    ["a backslash that PostgreSQL takes as it is", "pg", String.raw`select '\'`],
    ["an escape string", "pg", String.raw`select E'\'; '`],
    ["a backslash escape of MySQL", "mysql", String.raw`select '\'; ', "\"; "`],
    ["a quoted identifier", "pg", 'select 1 as "a;b"'],
    ["a backtick", "mysql", "select 1 as `a;b`"],
    ["a line comment inside", "pg", "select 1 -- one; two\n + 2"],
    ["a nested comment of PostgreSQL", "pg", "select 1 /* a /* b; */ c; */ + 2"],
    ["a hash comment of MySQL", "mysql", "select 1 # one; two\n + 2"],
    ["two minus signs of MySQL that are no comment", "mysql", "select 1--1"],
    ["a version comment of MySQL", "mysql", "/*!40101 set names utf8mb4; */"],
    ["a dollar quote", "pg", "do $$ begin perform 1; end $$"],
    [
      "a rule with several actions",
      "pg",
      "create rule r as on insert to a do also (select 1; select 2)"
    ],
    ["a name that is a keyword in parentheses", "pg", "select (t.end)"],
    ["a tagged dollar quote", "pg", "do $body$ begin perform '$$;'; end $body$"],
    [
      "a BEGIN ATOMIC body",
      "pg",
      "create function f() returns int begin atomic select case when true then 1 end; select 2; end"
    ]
  ]
  for (const [name, dialect, statement] of whole) {
    it(`keeps ${name} in one piece`, () => {
      expect(texts(`${statement}; select 2`, dialect)).toEqual([statement, "select 2"])
    })
  }

  it("tells a dollar quote from a parameter and from a name with a dollar", () => {
    expect(texts("select a$b$ from t; select $1; select 3")).toEqual([
      "select a$b$ from t",
      "select $1",
      "select 3"
    ])
  })

  it("leaves out what pg_dump writes for psql", () => {
    expect(texts("\\restrict a1\n\nselect 1;\n\\unrestrict a1\n")).toEqual(["select 1"])
  })

  it("follows DELIMITER lines of MySQL", () => {
    const body = "create procedure p() begin select 1; select 2; end"
    const script = `select 0;\nDELIMITER //\n${body} //\ndelimiter ;\nselect 3;`
    expect(texts(script, "mysql")).toEqual(["select 0", body, "select 3"])
  })
})

describe("a statement that controls the transaction", () => {
  it("is recognized by its first words", () => {
    for (const text of ["BEGIN", "commit", "ROLLBACK", "start transaction", "end", "abort"]) {
      expect([text, controlsTransaction(text)]).toEqual([text, true])
    }
    for (const text of ["rollback to savepoint a", "savepoint a", "select 1", "begin not atomic"]) {
      expect([text, controlsTransaction(text)]).toEqual([text, false])
    }
  })
})
