import { expect, it } from "vitest"
import { DatabaseUnreachable } from "../../../src/Layers/Database/Errors.ts"

it("a startup parameter that PgBouncer refuses says where to allow it", () => {
  const error = new DatabaseUnreachable({
    database: "shop",
    host: "db",
    reason: "unsupported startup parameter: statement_timeout (SQLSTATE 08P01)",
    target: 'PostgreSQL at db:6432, database "shop"',
    waited: "3ms"
  })
  expect(error.message).toBe(
    'Cannot use PostgreSQL at db:6432, database "shop": unsupported startup parameter: statement_timeout (SQLSTATE 08P01). PgBouncer refuses it. Name it in ignore_startup_parameters of PgBouncer, and set its value with `alter role`.'
  )
})

it.each(['database "shop" does not exist (SQLSTATE 3D000)', "Unknown database 'shop'"])(
  "a database that the server does not have has to be created: %s",
  (reason) => {
    const target = 'PostgreSQL at db:5432, database "shop"'
    const error = new DatabaseUnreachable({
      database: "shop",
      host: "db",
      reason,
      target,
      waited: "3ms"
    })
    expect(error.message).toBe(
      `Cannot use ${target}: ${reason}. Create the database, or correct DATABASE_URL.`
    )
  }
)
