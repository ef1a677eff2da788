/** An app with one endpoint to write and one to read, whose handlers the test gives. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as Tracer from "effect/Tracer"
import { ApiError, App, Plugin, Route } from "flange"
import * as Database from "flange/Database"
import { TestApp } from "flange/Testing"
import type { Backend } from "./Backends.ts"

export class Declined extends ApiError.make<Declined>()("Declined", {
  code: "DECLINED",
  detail: "Declined",
  status: 409
}) {}

export type Handler = Effect.Effect<unknown, Declined, SqlClient>

/** What the endpoints of an app do. */
export class Script {
  read: Handler = Effect.succeed("read")
  write: Handler = Effect.succeed("written")
}

type Word = boolean | Database.TransactionalOptions | undefined

export interface Words {
  readonly app?: Database.TransactionalOptions
  readonly endpoint?: Word
  readonly group?: Word
}

const said = <A extends { annotate(key: typeof Database.Transactional, word: never): A }>(
  annotated: A,
  word: Word
): A => (word === undefined ? annotated : annotated.annotate(Database.Transactional, word as never))

const apiOf = ({ endpoint, group }: Words) => {
  const write = HttpApiEndpoint.post("write", "/write", { error: Declined, success: Schema.Json })
  const read = HttpApiEndpoint.get("read", "/read", { error: Declined, success: Schema.Json })
  return said(HttpApiGroup.make("probe").add(said(write, endpoint), said(read, endpoint)), group)
}

const json = (handler: Handler) =>
  Effect.map(handler, (value): Schema.Json => JSON.parse(JSON.stringify(value ?? null)))

export const appOf = (script: Script, words: Words = {}) => {
  const probe = Plugin.make("app:probe", {
    requires: [SqlClient],
    routes: [
      Route.public(apiOf(words), (handlers) =>
        handlers.handleAll({
          read: () => json(Effect.suspend(() => script.read)),
          write: () => json(Effect.suspend(() => script.write))
        })
      )
    ]
  })
  return App.make("transactions", [
    Database.plugin,
    probe,
    words.app === undefined ? Database.autocommit : Database.transactional(words.app)
  ])
}

export interface RigOptions extends Words {
  readonly acquireTimeout?: string
  readonly listening?: boolean
  readonly maxConnections?: number
  readonly statementTimeout?: string
  /** Gives the app a tracer, so that every request has a span. */
  readonly traced?: boolean
}

/** The app on a database, with an empty table `name (id, who)`, dropped at the end. */
export const rig = ({ url }: Pick<Backend, "url">, options: RigOptions = { endpoint: true }) =>
  Effect.gen(function* () {
    const script = new Script()
    const boot = options.listening === true ? TestApp.listening : TestApp.make
    const made = boot(appOf(script, options), {
      config: {
        database: {
          acquireTimeout: options.acquireTimeout ?? "5 seconds",
          maxConnections: options.maxConnections ?? 8,
          runMigrations: false,
          statementTimeout: options.statementTimeout ?? "30 seconds",
          url
        }
      }
    })
    const test = yield* options.traced === true
      ? Effect.provideService(
          made,
          Tracer.Tracer,
          Tracer.make({ span: (o) => new Tracer.NativeSpan(o) })
        )
      : made
    const name = `tx_${crypto.randomUUID().replaceAll("-", "")}`
    const sql = yield* test.run(SqlClient)
    const table = sql(name)
    yield* sql`create table ${table} (id integer, who varchar(80))`
    yield* Effect.addFinalizer(() => Effect.ignore(sql`drop table ${table}`))
    return {
      /** Everybody in the table, in order of id, as the database has it now. */
      all: Effect.map(
        sql<{ readonly who: string }>`select who from ${table} order by id, who`,
        (rows) => rows.map(({ who }) => who)
      ),
      insert: (who: string, id = 0) =>
        Effect.orDie(sql`insert into ${table} (id, who) values (${id}, ${who})`),
      script,
      sql,
      table,
      test
    }
  })
