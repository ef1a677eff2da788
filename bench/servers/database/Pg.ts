/** `pg`, with prepared statements: each text has a name. */
import { Pool, type PoolClient } from "pg"
import { type Item, maxConnections, statements, url } from "./Contract.ts"
import type { Queries } from "./Queries.ts"

const pool = new Pool({ connectionString: url, max: maxConnections })

const names = new Map(Object.entries(statements).map(([name, text]) => [text, name]))

const allOn =
  (client: Pool | PoolClient): Queries["all"] =>
  async (text, values) => {
    const name = names.get(text)!
    return (await client.query<Item>({ name, text, values: [...values] })).rows
  }

export const queries: Queries = {
  all: allOn(pool),
  transaction: async (run) => {
    const client = await pool.connect()
    try {
      await client.query("begin")
      const result = await run({ all: allOn(client) })
      await client.query("commit")
      return result
    } catch (error) {
      await client.query("rollback")
      throw error
    } finally {
      client.release()
    }
  }
}
