/** What every server of `database.ts` does: its tables, its statements and its settings. */

export const url = process.env["DATABASE_URL"]!

/** The size of every pool. */
export const maxConnections = 8

/** How many rows there are to read. */
export const rows = 1000

/** How many rows a page has. */
export const pageSize = 20

/** How many statements `GET /items/:id/many` sends. */
export const many = 10

export interface Item {
  readonly id: number
  readonly name: string
  readonly price: number
}

/** Creates the tables. Inserted rows go to one of their own, so that pages stay as they are. */
export const schema = [
  "drop table if exists flange_bench_items, flange_bench_inserted",
  "create table flange_bench_items (id integer primary key, name text not null, price integer not null)",
  `insert into flange_bench_items select i, 'Item ' || i, i * 10 from generate_series(1, ${rows}) i`,
  "create table flange_bench_inserted (id integer generated always as identity primary key, name text not null, price integer not null)",
  "analyze flange_bench_items"
]

export const cleanUp = "drop table if exists flange_bench_items, flange_bench_inserted"

/** With `$1` and `$2`, as PostgreSQL has them. */
export const statements = {
  insert:
    "insert into flange_bench_inserted (name, price) values ($1, $2) returning id, name, price",
  lock: "select id, name, price from flange_bench_items where id = $1 for update",
  page: "select id, name, price from flange_bench_items where id > $1 order by id limit 20",
  read: "select id, name, price from flange_bench_items where id = $1",
  update: "update flange_bench_items set price = $2 where id = $1 returning id, name, price"
}
