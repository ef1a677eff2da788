/** The tables of the store in a database. */

/** The table of the items, and the table of the queues that are paused. */
export const tables = { items: "flange_queue_items", queues: "flange_queues" }

const { items, queues } = tables

/** The statements that create the tables. */
export const pg = [
  `create table if not exists ${queues} (queue varchar(255) primary key, paused boolean not null)`,
  // Texts are compared by their bytes, so that tenants have one order whatever the locale is.
  `create table if not exists ${items} (sequence bigserial primary key, queue varchar(255) collate "C" not null, id varchar(255) collate "C" not null, state varchar(9) not null, tenant varchar(255) collate "C" not null, priority smallint not null, keep boolean not null, attempts integer not null default 0, created_at bigint not null, due_at bigint not null, updated_at bigint not null, wake_at bigint, token varchar(36), element text not null, result text, failure text, unique (queue, id))`,
  // The columns that an index includes are for the counts, which then need not read the rows.
  `create index if not exists ${items}_waiting on ${items} (queue, tenant, priority desc, sequence) include (due_at) where state = 'waiting'`,
  `create index if not exists ${items}_timed on ${items} (queue, wake_at) where state in ('delayed', 'running')`,
  `create index if not exists ${items}_ended on ${items} (state, updated_at) include (queue) where state in ('completed', 'dead')`
]
