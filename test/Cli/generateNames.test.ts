// The names and the fields that `flange generate` reads.
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { parseSync, Visitor } from "oxc-parser"
import { assert, describe, it } from "vitest"
import * as Crud from "../../src/Cli/Generate/Crud.ts"
import * as Fields from "../../src/Cli/Generate/Fields.ts"
import * as Names from "../../src/Cli/Generate/Names.ts"
import * as SqlWords from "../../src/Cli/Generate/SqlWords.ts"
import { mysql, onEach, open, postgres } from "../Layers/Database/backends.ts"

const failure = <A, E>(result: Result.Result<A, E>): E => Result.getOrThrow(Result.flip(result))

describe("a name", () => {
  it.each(["order-items", "order_items", "orderItems", "OrderItems"])(
    "%s has the same forms in every notation",
    (text) => {
      const { plural, singular } = Result.getOrThrow(Names.names(text))
      assert.deepStrictEqual(plural, {
        camel: "orderItems",
        kebab: "order-items",
        pascal: "OrderItems",
        snake: "order_items",
        words: "order items"
      })
      assert.strictEqual(singular.pascal, "OrderItem")
    }
  )

  it("keeps the letters of an abbreviation together", () => {
    assert.strictEqual(Result.getOrThrow(Names.name("APIKeys")).kebab, "api-keys")
    assert.strictEqual(Result.getOrThrow(Names.name("oauth2Tokens")).kebab, "oauth2-tokens")
  })

  it.each(
    Object.entries({
      addresses: "address",
      aliases: "alias",
      analyses: "analysis",
      boxes: "box",
      branches: "branch",
      buses: "bus",
      caches: "cache",
      cameras: "camera",
      cases: "case",
      categories: "category",
      causes: "cause",
      children: "child",
      classes: "class",
      cookies: "cookie",
      curves: "curve",
      "shop-databases": "shop-database",
      days: "day",
      dishes: "dish",
      employees: "employee",
      expenses: "expense",
      heroes: "hero",
      houses: "house",
      indices: "index",
      keys: "key",
      leaves: "leaf",
      licenses: "license",
      movies: "movie",
      news: "news",
      "news-people": "news-person",
      orders: "order",
      people: "person",
      photos: "photo",
      processes: "process",
      quizzes: "quiz",
      responses: "response",
      series: "series",
      shoes: "shoe",
      sizes: "size",
      statuses: "status",
      uses: "use",
      viruses: "virus"
    })
  )("%s has the singular %s", (plural, singular) => {
    assert.strictEqual(Result.getOrThrow(Names.names(plural)).singular.kebab, singular)
  })

  it.each(["address", "axes", "bus", "canvas", "data", "fleet", "gas", "menus", "status", "taxis"])(
    "%s needs its singular, because the rules would guess",
    (text) => {
      assert.include(failure(Names.names(text)), "name the singular: --singular order")
      const { plural, singular } = Result.getOrThrow(Names.names(text, "one-thing"))
      assert.deepStrictEqual([plural.kebab, singular.pascal], [text, "OneThing"])
    }
  )

  it.each(["", "1st", "or ders", "ordérs", "orders/items", "../x", "a--b", "-a", "a.b", "a'b"])(
    "%j is refused",
    (text) => {
      assert.include(failure(Names.name(text)), `${JSON.stringify(text)} is not a name.`)
    }
  )

  it("is refused if it is long, or if the generated code has another thing of this name", () => {
    assert.include(
      failure(Names.name("x".repeat(25))),
      "has 25 letters. Write a name of at most 24"
    )
    for (const [text, name] of [
      ["schemas", "Schema"],
      ["plugins", "Plugin"],
      ["handlers", "handlers"],
      ["effects", "Effect"],
      ["maps", "Map"]
    ] as const) {
      assert.include(failure(Names.names(text)), `"${text}" makes the name ${name}, which`)
    }
    assert.include(failure(Names.names("orders", "orders-api")), "makes the name OrdersApi")
    assert.include(failure(Names.declared("app")), `"app" makes the name App`)
  })
})

/** The identifiers of a module that are no keys and no members. */
const identifiersOf = (file: string, text: string): ReadonlySet<string> => {
  const keys = new Set<number>()
  const all = new Map<number, string>()
  new Visitor({
    Identifier: ({ name, start }) => all.set(start, name),
    MemberExpression: ({ property }) => keys.add(property.start),
    Property: ({ key, shorthand }) => {
      if (!shorthand) keys.add(key.start)
    },
    PropertyDefinition: ({ key }) => keys.add(key.start),
    TSPropertySignature: ({ key }) => keys.add(key.start),
    TSQualifiedName: ({ right }) => keys.add(right.start)
  }).visit(parseSync(file, text).program)
  return new Set([...all].flatMap(([start, name]) => (keys.has(start) ? [] : [name])))
}

it("a name is refused if the generated code declares or uses it for something else", () => {
  const fields = Result.getOrThrow(Fields.parse("name:string, day:date, at:datetime?, is:boolean"))
  const found = (["database", "memory"] as const).flatMap((store) =>
    Object.entries(
      Crud.files({
        access: "protected",
        fields,
        migration: "0001",
        name: "zebras",
        root: "src",
        store,
        tests: "test"
      })
    ).flatMap(([path, text]) => {
      if (!path.endsWith(".ts")) return []
      // Variables are named after a feature in its repository and in its plugin only.
      const hasVariable = /(?:Repo|Plugin)\.ts$/.test(path)
      return [...identifiersOf(path, text)].filter((name) => hasVariable || /^[A-Z]/.test(name))
    })
  )
  // The names of fields avoid that of the feature, and one function has variables of its own.
  const others = /zebra|^(?:At|Day|Fields|Is|Name|URL|fields|meta|value)$/i
  const names = [...new Set(found)].filter((name) => !others.test(name)).sort()
  assert.includeMembers(names, ["Effect", "SqlClient", "changes", "draft", "handlers", "random"])
  const free = names.filter((name) =>
    Result.isSuccess(/^[A-Z]/.test(name) ? Names.names("others", name) : Names.names(name, "other"))
  )
  assert.deepStrictEqual(free, [])
})

describe("fields", () => {
  it("are read with their types, columns and whether they are optional", () => {
    const fields = Result.getOrThrow(
      Fields.parse("customer:string,\n total : int? ,dueAt:datetime, state:enum( open | paid )?,")
    )
    assert.deepStrictEqual(
      fields.map(({ column, isOptional, name, type }) => [name, column, isOptional, type.column]),
      [
        ["customer", "customer", false, "varchar(200)"],
        ["total", "total", true, "integer"],
        ["dueAt", "due_at", false, "timestamp(3)"],
        ["state", "state", true, "varchar(50)"]
      ]
    )
  })

  it("are refused with everything that is wrong, and what to write", () => {
    assert.deepStrictEqual(
      failure(
        Fields.parse(
          "customer:strng, customer:int, id:int, createdAt:datetime, order_no:string, x:enum, y:enum(a|a), z:enum(a b|c), toString:int, __proto__:int, :int, foo, , Ä:int, when:soon"
        )
      ),
      [
        '"strng" is not a type of fields (customer). Did you mean "string"?',
        '"id" is a field that every feature has. Leave it out',
        '"createdAt" is a field that every feature has. Leave it out',
        '"order_no" is not the name of a field, which has letters from a to z and digits and begins with a small letter. Write orderNo',
        'The enum "x" has no values. Write them: x:enum(open|paid)',
        'The enum "y" has the value "a" twice. Leave one of them out',
        '"a b" is not a value of the enum "z". Write letters, digits, - and _, at most 50 of them: z:enum(open|paid)',
        '"toString" is a property of every object of JavaScript. Write another name, such as toStringValue',
        '"__proto__" is not the name of a field, which has letters from a to z and digits and begins with a small letter. Write proto',
        '":int" has no name. Write for example customer:int',
        '"foo" has no type. Write for example foo:string',
        "Nothing stands between two commas. Leave one of them out",
        '"Ä" is not the name of a field, which has letters from a to z and digits and begins with a small letter. Write a name such as customerName',
        '"soon" is not a type of fields (when). The types are: boolean, date, datetime, decimal, enum, int, number, string, text, uuid',
        '"customer" is there twice. Leave one of them out'
      ]
    )
  })

  it("are refused if there are none, or too many", () => {
    assert.deepStrictEqual(failure(Fields.parse("  ")), [
      "There are no fields. Write for example name:string"
    ])
    const many = Array.from({ length: 100_000 }, (_, at) => `f${at}:int`).join()
    assert.match(failure(Fields.parse(many))[0]!, /^There are 100000 fields\. Write at most 60/)
    const values = Array.from({ length: 101 }, (_, at) => at).join("|")
    assert.match(failure(Fields.parse(`a:enum(${values})`))[0]!, /has 101 values/)
    assert.match(failure(Fields.parse(`${"x".repeat(31)}:int`))[0]!, /has 31 letters/)
  })
})

describe("words of SQL", () => {
  it("are those that need quotes", () => {
    for (const word of ["group", "groups", "key", "order", "rank", "select", "user", "values"]) {
      assert.isTrue(SqlWords.has(word), word)
    }
    for (const word of ["name", "orders", "state", "total"]) assert.isFalse(SqlWords.has(word))
  })

  onEach([postgres, mysql], "a name", ({ fresh, kind }) => {
    it("without quotes is taken, if it is not among the words", () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const sql = yield* open(yield* fresh)
            const keywords = yield* sql<{
              readonly word: string
            }>`select lower(word) as word from ${sql.literal(kind === "pg" ? "pg_get_keywords()" : "information_schema.keywords")}`
            const names = keywords
              .map(({ word }) => word)
              .filter((word) => /^[a-z][a-z0-9_]*$/.test(word) && !SqlWords.has(word))
            assert.isAbove(names.length, 100)
            for (const name of names) {
              yield* sql.unsafe(`create table ${name} (${name} integer)`).unprepared
              yield* sql.unsafe(`drop table ${name}`).unprepared
            }
          })
        )
      ))
  })
})
