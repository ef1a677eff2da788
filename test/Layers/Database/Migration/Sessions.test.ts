// Each migration has a clean session, and its record does not depend on what it sets.
import * as Effect from "effect/Effect"
import { expect } from "vitest"
import { mysql, onEach, pglite, postgres } from "../backends.ts"
import { applied, checkOn, codeMigration, directoryOf, migrate } from "./rig.ts"

onEach([pglite, postgres], "The session of a migration", (backend) => {
  const check = checkOn(backend)

  check("of pg_dump does not hide the record, nor reach the next file", (sql) =>
    Effect.gen(function* () {
      const directory = yield* directoryOf({
        "0001_base.sql": `\\restrict abc
SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
SET default_table_access_method = heap;
\\unrestrict abc
`,
        "0002_items.sql": "create table items (id integer)",
        "0003_path.sql":
          "-- flange: no transaction\nset search_path to pg_catalog;\nset role none;",
        "0004_more.sql": "insert into items values (4)",
        "0005_code.ts": codeMigration("yield* sql`set timezone to 'Asia/Tokyo'`"),
        "0006_code.ts": codeMigration("yield* sql`set search_path to ''`", false),
        "0007_end.ts": codeMigration("yield* sql`insert into items values (7)`")
      })
      expect(yield* migrate(sql, directory)).toHaveLength(7)
      expect(yield* applied(sql)).toHaveLength(7)
      expect(yield* sql`select id from items order by id`).toEqual([{ id: 4 }, { id: 7 }])
      expect(yield* sql`select current_setting('timezone') as zone`).toEqual([{ zone: "UTC" }])
      expect(yield* migrate(sql, directory)).toEqual([])
    })
  )

  check("ends with its role, its limits and its temporary tables", (sql) =>
    Effect.gen(function* () {
      const directory = yield* directoryOf({
        "0001_temporary.sql": `create temporary table notes (id integer);
set statement_timeout = '1ms';
set role pg_monitor;`,
        "0002_notes.sql": "create table notes (id integer);\ninsert into notes values (2);"
      })
      expect(yield* migrate(sql, directory)).toHaveLength(2)
      expect(yield* sql`select id from notes`).toEqual([{ id: 2 }])
    })
  )
})

onEach([mysql], "The session of a migration", (backend) => {
  const check = checkOn(backend)

  check("ends with its modes, its variables and its database", (sql) =>
    Effect.gen(function* () {
      const directory = yield* directoryOf({
        "0001_modes.sql": `set sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES';
set time_zone = '+09:00';
set names latin1;
set @secret = 1;
create temporary table notes (id integer);
use information_schema;`,
        "0002_autocommit.sql":
          "-- flange: no transaction\nset autocommit = 0;\ncreate table items (id integer, name text);\ninsert into items values (2, 'ü');",
        "0003_after.sql": `create table notes (id integer, name text);
insert into notes values (3, "a\\"b ü");
insert into items select 3, concat(@@session.time_zone, ifnull(@secret, ''));`
      })
      expect(yield* migrate(sql, directory)).toHaveLength(3)
      expect(yield* applied(sql)).toHaveLength(3)
      expect(yield* sql`select * from notes`).toEqual([{ id: 3, name: 'a"b ü' }])
      expect(yield* sql`select * from items order by id`).toEqual([
        { id: 2, name: "ü" },
        { id: 3, name: "+00:00" }
      ])
      expect(yield* sql`select @@session.sql_mode like '%ANSI%' as ansi`).toEqual([{ ansi: 0 }])
      expect(yield* migrate(sql, directory)).toEqual([])
    })
  )
})
