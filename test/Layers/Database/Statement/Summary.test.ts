/** The short form of SQL texts. */
import { describe, expect, it } from "vitest"
import * as Summary from "../../../../src/Layers/Database/Statement/Summary.ts"

const nameOf = (sql: string, dialect: "mysql" | "pg" = "pg") => Summary.of(sql, dialect).name

describe("the short form of a statement", () => {
  it.each([
    ["select * from items where id = $1", "SELECT items"],
    ["  SELECT a, b\n FROM\n items i join other o on true", "SELECT items"],
    ['select * from "public"."Items"', "SELECT public.Items"],
    ["select 1", "SELECT"],
    ["(select a from b) union (select c from d)", "SELECT b"],
    ["insert into items (a) values ($1) returning *", "INSERT items"],
    ['INSERT INTO "items" ("a") VALUES ($1)', "INSERT items"],
    ["update items set a = $1", "UPDATE items"],
    ["update only items set a = $1", "UPDATE items"],
    ["delete from items where a in ($1, $2)", "DELETE items"],
    ["merge into items using x on true when matched then delete", "MERGE items"],
    ["truncate table items", "TRUNCATE items"],
    ["with a as (select 1) select * from a", "WITH"],
    ["create table items (id int)", "CREATE"],
    ["-- select a from b\nselect c from d", "SELECT d"],
    ["/* from a */ select c from d", "SELECT d"],
    ["", "SQL"],
    ["$1", "SQL"]
  ])("of %j is %s", (sql, name) => {
    expect(nameOf(sql)).toBe(name)
  })

  it("reads the quotes of MySQL", () => {
    expect(nameOf("select * from `shop`.`items`", "mysql")).toBe("SELECT shop.items")
    expect(nameOf("call refresh(?)", "mysql")).toBe("CALL refresh")
  })

  it("has no quoted value", () => {
    expect(Summary.of("select 'se''cret', \"a\" from b where c = $1", "pg").text).toBe(
      'select ?, "a" from b where c = $1'
    )
    expect(Summary.of("select 'se\\'cret', \"secret\" from b", "mysql").text).toBe(
      "select ?, ? from b"
    )
    expect(Summary.of("select $tag$secret$tag$, e'a\\'b'", "pg").text).toBe("select ?, e?")
    expect(Summary.of("select 'secret", "pg").text).toBe("select ?")
  })

  it("has no quoted value after a quote in a comment or in a name", () => {
    const pg = (sql: string) => Summary.of(sql, "pg").text
    expect(pg("select /* it's */ 'secret'")).toBe("select /* it's */ ?")
    expect(pg("select -- don't\n'secret'")).toBe("select -- don't\n?")
    expect(pg("select \"it's\", 'secret'")).toBe('select "it\'s", ?')
    const mysql = (sql: string) => Summary.of(sql, "mysql").text
    expect(mysql("select `it's`, 'secret' # don't")).toBe("select `it's`, ? # don't")
  })

  it("is cut, and has no name as long as an attack", () => {
    const long = `select * from ${"a".repeat(10_000)}`
    expect(Summary.of(long, "pg").name).toBe("SELECT")
    expect(Summary.of(long, "pg").text).toHaveLength(4003)
  })

  it("is read in time that grows with the text alone", () => {
    for (const part of ["(", " ", "from ", "'", '"', "`", "a.", "/*", "--", "$a$", "$"]) {
      expect(Summary.of(`select ${part.repeat(200_000)}`, "pg").operation).toBe("SELECT")
    }
  })

  it("takes a comment unless it has one or ends with a semicolon", () => {
    const takes = (sql: string) => Summary.of(sql, "pg").takesComment
    expect(takes("select 1")).toBe(true)
    for (const sql of ["", "select 1;", "select 1 -- a", "/* a */ select 1", "select '/*'"]) {
      expect(takes(sql)).toBe(false)
    }
  })
})
