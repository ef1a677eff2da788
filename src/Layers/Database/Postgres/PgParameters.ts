/** The parameters of a statement as the driver must get them. */
import type { PgConnection as PgSession } from "@effect/sql-pg/PgConnection"
import * as PgTypes from "@effect/sql-pg/PgTypes"
import * as Effect from "effect/Effect"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import { tooManyParameters } from "../Client.ts"
import * as SqlScript from "../Migration/SqlScript.ts"

/** The driver counts parameters in 15 bits. */
const mostParameters = 32_767

const isEmpty = (value: unknown): value is ReadonlyArray<never> =>
  Array.isArray(value) && value.length === 0

/** Whether the driver can have the parameters as they are. */
export const isPlain = (params: ReadonlyArray<unknown>): boolean =>
  params.length <= mostParameters && !params.some(isEmpty)

const nameOf = new Map<number, string>(
  Object.entries(PgTypes.OID).map(([name, oid]) => [oid, name.replace(/Array$/, "[]")])
)

/** Returns the name of the PostgreSQL type as which the driver sends a parameter. */
const typeOf = (value: unknown): string => {
  if (PgTypes.isParameter(value)) return nameOf.get(value.oid) ?? "unknown"
  if (Array.isArray(value)) {
    const element = value.find((one) => one !== null)
    if (element === undefined) return "unknown"
    return typeof element === "string" ? "text[]" : `${typeOf(element)}[]`
  }
  if (value instanceof Date) return "timestamptz"
  if (value instanceof Uint8Array || value instanceof Int8Array) return "bytea"
  switch (typeof value) {
    case "bigint":
      return "int8"
    case "boolean":
      return "bool"
    case "number":
      if (!Number.isSafeInteger(value)) return "float8"
      return value === Math.trunc(value) && Math.abs(value) < 2 ** 31 ? "int4" : "int8"
    default:
      return "unknown"
  }
}

const preparable = /^(delete|insert|merge|select|update|values|with)\b/i

const none: ReadonlySet<number> = new Set()

/** Returns the error of a pooler that answers the queries of one connection from several. */
const lostStatement = (): SqlError => {
  const message =
    "The statement has an empty list as a parameter, and its types could not be read: a pooler in transaction mode runs each query on another connection. Run the statement in a transaction, or write the list as JSON text."
  return new SqlError({
    reason: new UnknownError({ cause: new Error(message), message, operation: "execute" })
  })
}

/** How many statements are remembered. */
const remembered = 500

/** The JSON parameters of the statements of a pool. */
export class PgParameters {
  /** The numbers of the JSON parameters of a statement. */
  readonly #json = new Map<string, ReadonlySet<number>>()
  #names = 0

  /**
   * Returns the parameters with `[]` for JSON written as JSON: the driver sends an empty
   * list as `{}`, which is an array for PostgreSQL, but an object for a column of type
   * `jsonb`. Only the server knows the types, so the first statement with an empty list
   * takes three further queries.
   */
  prepare(
    session: PgSession,
    sql: string,
    params: ReadonlyArray<unknown>
  ): Effect.Effect<ReadonlyArray<unknown>, SqlError> {
    const refused = tooManyParameters(params, mostParameters)
    if (refused !== undefined) return Effect.fail(refused)
    return Effect.map(this.#jsonOf(session, sql, params), (json) =>
      params.map((value, index) => (isEmpty(value) && json.has(index) ? "[]" : value))
    )
  }

  #jsonOf(
    session: PgSession,
    sql: string,
    params: ReadonlyArray<unknown>
  ): Effect.Effect<ReadonlySet<number>, SqlError> {
    const types = params.map(typeOf).join(", ")
    const key = `${types} ${sql}`
    const known = this.#json.get(key)
    if (known !== undefined) return Effect.succeed(known)
    // The text without comments before it. SQL can prepare no other statement.
    const [statement] = SqlScript.split(sql, "pg")
    if (statement === undefined || !preparable.test(statement.text)) return Effect.succeed(none)
    const name = `flange_parameters_${this.#names++}`
    const ask = `select pg_catalog.array_to_string(array(
      select case when t.typtype = 'd' then t.typbasetype else t.oid end
      from pg_catalog.unnest(parameter_types) with ordinality as p(type, at)
      join pg_catalog.pg_type t on t.oid = p.type order by at), ',') as types
      from pg_catalog.pg_prepared_statements where name = $1`
    return Effect.gen({ self: this }, function* () {
      yield* session.query(`prepare ${name} (${types}) as ${statement.text}`, [], false)
      const { rows } = yield* session.query(ask, [name], false)
      // PgBouncer in transaction mode runs each query on another connection.
      if (rows[0] === undefined) return yield* lostStatement()
      yield* session.query(`deallocate ${name}`, [], false)
      const oids = String(rows[0]["types"]).split(",").map(Number)
      const json = new Set<number>()
      for (const [index, oid] of oids.entries()) {
        if (oid === PgTypes.OID.json || oid === PgTypes.OID.jsonb) json.add(index)
      }
      if (this.#json.size >= remembered) this.#json.clear()
      this.#json.set(key, json)
      return json
    })
  }
}
