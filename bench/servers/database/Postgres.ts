/** `postgres`, which prepares each text by itself and sends several statements in one write. */
import postgres from "postgres"
import { type Item, maxConnections, url } from "./Contract.ts"
import type { Queries } from "./Queries.ts"

const pool = postgres(url, { max: maxConnections })

const allOn =
  (sql: postgres.ISql): Queries["all"] =>
  (text, values) =>
    sql.unsafe<Array<Item>>(text, [...values], { prepare: true })

export const queries: Queries = {
  all: allOn(pool),
  transaction: (run) => pool.begin((sql) => run({ all: allOn(sql) })) as Promise<never> // `begin` unwraps arrays of promises
}
