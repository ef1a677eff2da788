import { expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as Database from "flange/Database"
import { all, onEach, open } from "./backends.ts"

const Pet = Schema.Struct({
  bornAt: Schema.DateTimeUtcFromDate,
  id: Schema.Int,
  name: Schema.String,
  ownerName: Schema.optionalKey(Schema.String)
})

const pet = (id: number, name: string) => ({
  bornAt: DateTime.makeUnsafe("2024-02-29T23:59:58.000Z"),
  id,
  name
})

onEach(all, "A table of Database.table", (backend) => {
  const check = (
    title: string,
    test: (
      pets: Database.Table<typeof Pet.Type, "id">,
      sql: SqlClient.SqlClient
    ) => Effect.Effect<unknown, unknown>
  ) =>
    it.live(title, () =>
      Effect.gen(function* () {
        const sql = yield* open(yield* backend.fresh)
        const at = sql.literal(backend.kind === "mysql" ? "datetime(3)" : "timestamptz")
        yield* sql`create table pets (id integer primary key, name varchar(50) not null, owner_name varchar(50), born_at ${at} not null)`
        const pets = yield* Database.table("pets", { key: "id", row: Pet }).pipe(
          Effect.provideService(SqlClient.SqlClient, sql)
        )
        yield* test(pets, sql)
      })
    )

  check("inserts and finds rows, with columns in snake case", (pets, sql) =>
    Effect.gen(function* () {
      const rex = { ...pet(1, "Rex"), ownerName: "Ada" }
      yield* pets.insert(rex)
      yield* pets.insert(pet(2, "Tom"))
      expect(yield* pets.find(1)).toEqual(Option.some(rex))
      expect(yield* pets.find(2)).toEqual(Option.some(pet(2, "Tom")))
      expect(yield* sql`select id, owner_name from pets order by id`).toEqual([
        { id: 1, owner_name: "Ada" },
        { id: 2, owner_name: null }
      ])
    })
  )

  check("has pages in the order of the keys, with the number of all rows", (pets) =>
    Effect.gen(function* () {
      for (const id of [3, 1, 2]) yield* pets.insert(pet(id, `pet ${id}`))
      expect(yield* pets.page({ limit: 2, page: 1 })).toEqual({
        items: [pet(1, "pet 1"), pet(2, "pet 2")],
        limit: 2,
        page: 1,
        total: 3
      })
      expect((yield* pets.page({ limit: 2, page: 2 })).items).toEqual([pet(3, "pet 3")])
    })
  )

  check("updates the fields that are given, and null removes an optional one", (pets) =>
    Effect.gen(function* () {
      yield* pets.insert(pet(1, "Rex"))
      yield* pets.insert(pet(2, "Tom"))
      const owned = { ...pet(1, "Rex"), ownerName: "Ada" }
      expect(yield* pets.update(1, { ownerName: "Ada" })).toEqual(Option.some(owned))
      expect(yield* pets.update(1, {})).toEqual(Option.some(owned))
      expect(yield* pets.update(1, { name: "Max", ownerName: null })).toEqual(
        Option.some(pet(1, "Max"))
      )
      expect(yield* pets.find(2)).toEqual(Option.some(pet(2, "Tom")))
    })
  )

  check("removes a row once and returns it", (pets) =>
    Effect.gen(function* () {
      yield* pets.insert(pet(1, "Rex"))
      yield* pets.insert(pet(2, "Tom"))
      const removed = yield* Effect.all([pets.remove(1), pets.remove(1)], {
        concurrency: "unbounded"
      })
      expect(removed.flatMap(Option.toArray)).toEqual([pet(1, "Rex")])
      expect((yield* pets.page({ limit: 5, page: 1 })).items).toEqual([pet(2, "Tom")])
    })
  )

  check("has none for a key without a row", (pets) =>
    Effect.gen(function* () {
      expect(yield* pets.find(9)).toEqual(Option.none())
      expect(yield* pets.remove(9)).toEqual(Option.none())
      expect(yield* pets.update(9, { name: "Max" })).toEqual(Option.none())
    })
  )

  check(
    "fails with SqlError for a key that is taken, and dies for a row that does not match",
    (pets, sql) =>
      Effect.gen(function* () {
        yield* pets.insert(pet(1, "Rex"))
        const error = yield* Effect.flip(pets.insert(pet(1, "Tom")))
        expect(error.reason._tag).toBe("UniqueViolation")
        yield* sql`alter table pets add column extra integer`
        expect(yield* pets.find(1)).toEqual(Option.some(pet(1, "Rex")))
        const Other = Schema.Struct({ id: Schema.Int, name: Schema.Int })
        const others = yield* Database.table("pets", { key: "id", row: Other }).pipe(
          Effect.provideService(SqlClient.SqlClient, sql)
        )
        expect((yield* Effect.exit(others.find(1)))._tag).toBe("Failure")
        expect(yield* Effect.flip(Effect.sandbox(others.find(1)))).toHaveProperty(
          "reasons.0._tag",
          "Die"
        )
      })
  )
})
