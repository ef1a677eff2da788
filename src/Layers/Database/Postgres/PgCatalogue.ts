/**
 * The types of one database, with codecs for those that the driver does not know.
 *
 * The values of such a type arrive as `Raw`: their bytes. The catalogue then learns the
 * type from `pg_type`. Enums, domains and their arrays get a codec. The values of all
 * other types go back to the server as parameters, which returns their text.
 */
import type { PgConnection as PgSession } from "@effect/sql-pg/PgConnection"
import * as PgTypes from "@effect/sql-pg/PgTypes"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { SqlError, SqlSyntaxError } from "effect/sql/SqlError"
import * as Thrown from "../../../Config/Thrown.ts"
import { onDescription } from "./PgInternals.ts"
import type { PgDecoder } from "./PgType.ts"

/** A value whose type has no codec yet, or has none at all. */
class Raw {
  readonly bytes: Uint8Array
  readonly type: number

  constructor(bytes: Uint8Array, type: number) {
    this.bytes = bytes
    this.type = type
  }
}

/** A row as the driver makes it: an object, or a list of values. */
type Row = Record<number | string, unknown>

interface Cell {
  readonly key: string
  readonly raw: Raw
  readonly row: Row
}

/** A type as `pg_type` has it. */
interface PgType {
  readonly array: number
  readonly base: number
  readonly element: number
  /** The name with its schema. */
  readonly fullName: string
  readonly kind: string
  readonly name: string
  readonly oid: number
  /** The function of the server that makes the binary form. */
  readonly send: string
}

/** The types with a fixed number whose binary form is text: `"char"`, `unknown`, `void`. */
const texts = [18, 705, 2278]

const textSends = new Set(["bpcharsend", "enum_send", "namesend", "textsend", "varcharsend"])

/** How many values one query converts. PostgreSQL returns at most 1664 columns. */
const batch = 1000

const failure = (message: string): SqlError =>
  new SqlError({
    reason: new SqlSyntaxError({ cause: new Error(message), message, operation: "decode" })
  })

const refuse = (cause: unknown): PgTypes.CodecError =>
  new PgTypes.CodecError({ message: Thrown.messageOf(cause) })

const rawCodec = (type: number): PgTypes.Codec<Raw> => ({
  // The driver uses its buffer again.
  decode: (bytes) => Result.succeed(new Raw(bytes.slice(), type)),
  encode: ({ bytes }) => Result.succeed(bytes)
})

const decoderCodec = (decode: (bytes: Uint8Array) => unknown): PgTypes.Codec<unknown> => ({
  decode: (bytes) => Result.try({ catch: refuse, try: () => decode(bytes.slice()) }),
  encode: () => Result.fail(refuse("A parameter of this type is sent as text"))
})

/** The codecs of a pool. */
export class PgCatalogue {
  /** For the option `types` of the driver. */
  readonly registry: PgTypes.Registry = PgTypes.makeRegistry()
  readonly #codecs = new Map<number, PgTypes.Codec<unknown>>()
  readonly #decoders: ReadonlyMap<string, PgDecoder>
  /** The types whose values arrive, or once arrived, as `Raw`. */
  readonly #foreign = new Set<number>()
  readonly #known = new Set<number>(Object.values(PgTypes.OID))
  /** Whether all types of the database have been learned. */
  #isComplete = false
  /** The learned types without a codec. */
  readonly #textual = new Map<number, PgType>()

  constructor(decoders: ReadonlyMap<string, PgDecoder>) {
    this.#decoders = decoders
    for (const oid of texts) this.#register(oid, this.#codecOf(PgTypes.OID.text))
  }

  /** Makes the values of unknown types arrive as `Raw`. */
  watch(session: PgSession): void {
    onDescription(session, (types) => {
      for (const oid of types) {
        if (this.#known.has(oid)) continue
        this.#known.add(oid)
        this.#foreign.add(oid)
        this.registry.register(oid, rawCodec(oid))
      }
    })
  }

  /** Replaces the values of unknown types in the rows. `session` must be free for queries. */
  complete<Rows extends ReadonlyArray<object>>(
    session: PgSession,
    rows: Rows
  ): Effect.Effect<Rows, SqlError> {
    if (this.#foreign.size === 0) return Effect.succeed(rows)
    const cells = cellsOf(rows)
    if (cells.length === 0) return Effect.succeed(rows)
    const unknown = new Set(cells.map(({ raw }) => raw.type).filter((oid) => !this.#isLearned(oid)))
    return Effect.gen({ self: this }, function* () {
      if (unknown.size > 0) yield* this.#learn(session, [...unknown].join(","))
      const textual = yield* this.#decode(cells)
      for (let at = 0; at < textual.length; at += batch) {
        yield* this.#convert(session, textual.slice(at, at + batch))
      }
      return rows
    })
  }

  /** Learns all types before a stream, which leaves the session no moment for a query. */
  prepare(session: PgSession): Effect.Effect<void, SqlError> {
    return this.#isComplete
      ? Effect.void
      : Effect.tap(this.#learn(session, undefined), () =>
          Effect.sync(() => void (this.#isComplete = true))
        )
  }

  /** Decodes the values of a stream. Fails for a type whose values have to be asked for. */
  streamed<Rows extends ReadonlyArray<object>>(rows: Rows): Effect.Effect<Rows, SqlError> {
    if (this.#foreign.size === 0) return Effect.succeed(rows)
    return Effect.flatMap(this.#decode(cellsOf(rows)), ([cell]) => {
      if (cell === undefined) return Effect.succeed(rows)
      const type = this.#textual.get(cell.raw.type)
      this.#isComplete = type !== undefined
      return Effect.fail(
        failure(
          `A stream cannot read the column "${cell.key}" of type ${type?.fullName ?? `${cell.raw.type}, which is new`}. Write ${cell.key}::text in the query, or give the type a decoder that has fromBytes (Database.pgType).`
        )
      )
    })
  }

  #codecOf(oid: number): PgTypes.Codec<unknown> {
    return (
      this.#codecs.get(oid) ?? {
        decode: (bytes) => PgTypes.decode(bytes, oid, 1, this.registry),
        encode: (value) => PgTypes.encode(value, oid, this.registry)
      }
    )
  }

  /** Gives values the codecs that were learned since they arrived. Returns the other cells. */
  #decode(cells: ReadonlyArray<Cell>): Effect.Effect<ReadonlyArray<Cell>, SqlError> {
    const others: Array<Cell> = []
    for (const cell of cells) {
      const { key, raw, row } = cell
      if (!this.#codecs.has(raw.type)) {
        others.push(cell)
        continue
      }
      const value = PgTypes.decode(raw.bytes, raw.type, 1, this.registry)
      if (Result.isFailure(value)) {
        return Effect.fail(failure(`The column "${key}" cannot be read: ${value.failure.message}`))
      }
      row[key] = value.success
    }
    return Effect.succeed(others)
  }

  #isLearned(oid: number): boolean {
    return this.#codecs.has(oid) || this.#textual.has(oid)
  }

  #register(oid: number, codec: PgTypes.Codec<unknown>, arrayOid = 0): void {
    this.#codecs.set(oid, codec)
    this.#known.add(oid)
    this.registry.register(oid, codec, arrayOid === 0 ? {} : { arrayOid })
    if (arrayOid === 0) return
    this.#known.add(arrayOid)
    this.#codecs.set(arrayOid, {
      decode: (bytes) => PgTypes.decode(bytes, arrayOid, 1, this.registry),
      encode: (value) => PgTypes.encode(value, arrayOid, this.registry)
    })
  }

  /** Reads types, with those that they are made of. Without a list, all of the database. */
  #learn(session: PgSession, oids: string | undefined): Effect.Effect<void, SqlError> {
    const start =
      oids === undefined
        ? "select oid from pg_catalog.pg_type where typelem <> 0 or typtype in ('d', 'e') or oid >= 16384"
        : "select pg_catalog.unnest(pg_catalog.string_to_array($1, ',')::oid[])"
    const statement = `with recursive needed(oid) as (
      ${start}
      union
      select part from needed join pg_catalog.pg_type t using (oid)
      cross join lateral pg_catalog.unnest(array[t.typelem, t.typbasetype]) part where part <> 0
    )
    select t.oid, t.typname::text as name, n.nspname || '.' || t.typname as "fullName",
      t.typtype::text as kind, t.typbasetype as base, t.typarray as array, p.prosrc as send,
      case when t.typcategory = 'A' and t.typlen = -1 then t.typelem else 0 end as element
    from needed join pg_catalog.pg_type t using (oid)
    join pg_catalog.pg_namespace n on n.oid = t.typnamespace
    left join pg_catalog.pg_proc p on p.oid = t.typsend
    order by t.oid`
    return Effect.map(
      session.query(statement, oids === undefined ? [] : [oids], false),
      ({ rows }) => {
        const types = new Map<number, PgType>()
        for (const row of rows) {
          const type = row as unknown as PgType // the columns of the statement
          types.set(type.oid, type)
        }
        for (const type of types.values()) this.#settle(type, types)
      }
    )
  }

  /** Finds the codec of a type, after those of the types that it is made of. */
  #settle(type: PgType, types: ReadonlyMap<number, PgType>): void {
    const { array, base, element, fullName, kind, name, oid, send } = type
    if (this.#isLearned(oid) || isBuiltIn(oid)) return
    const part = types.get(element === 0 ? base : element)
    if (part !== undefined) this.#settle(part, types)
    const decoder = this.#decoders.get(fullName) ?? this.#decoders.get(name)
    if (decoder !== undefined) {
      if ("fromBytes" in decoder) this.#register(oid, decoderCodec(decoder.fromBytes), array)
      else this.#textual.set(oid, type)
    } else if (textSends.has(send)) {
      this.#register(oid, this.#codecOf(PgTypes.OID.text), array)
    } else if (kind === "d" && this.#hasCodec(base)) {
      this.#register(oid, this.#codecOf(base), array)
    } else if (!this.#isLearned(oid)) {
      this.#textual.set(oid, type)
    }
  }

  #hasCodec(oid: number): boolean {
    return isBuiltIn(oid) || this.#codecs.has(oid)
  }

  /** Lets the server convert values to text. */
  #convert(session: PgSession, cells: ReadonlyArray<Cell>): Effect.Effect<void, SqlError> {
    const pseudo = cells.find(({ raw }) => this.#textual.get(raw.type)?.kind === "p")
    if (pseudo !== undefined) {
      const type = this.#textual.get(pseudo.raw.type)?.fullName
      return Effect.fail(
        failure(
          `The column "${pseudo.key}" has the type ${type}, of which PostgreSQL can send no text. Write ${pseudo.key}::text in the query, or cast it to a type that has a name.`
        )
      )
    }
    const columns = cells.map((_, index) => `($${index + 1})::text`).join(", ")
    const params = cells.map(({ raw }): PgTypes.Parameter => ({
      [PgTypes.ParameterTypeId]: PgTypes.ParameterTypeId,
      oid: raw.type,
      value: raw
    }))
    return Effect.flatMap(session.queryValues(`select ${columns}`, params, false), ([values]) =>
      Effect.try({
        catch: (cause) => failure(`A decoder of the app failed: ${Thrown.messageOf(cause)}`),
        try: () => {
          for (const [index, { key, raw, row }] of cells.entries()) {
            row[key] = this.#fromText(raw.type, values![index] as string) // cast by the query
          }
        }
      })
    )
  }

  #fromText(oid: number, text: string): unknown {
    const type = this.#textual.get(oid)!
    const decoder = this.#decoders.get(type.fullName) ?? this.#decoders.get(type.name)
    return decoder !== undefined && "fromText" in decoder ? decoder.fromText(text) : text
  }
}

const builtIn = new Set<number>(Object.values(PgTypes.OID))

const isBuiltIn = (oid: number): boolean => builtIn.has(oid)

const cellsOf = (rows: ReadonlyArray<object>): ReadonlyArray<Cell> => {
  const cells: Array<Cell> = []
  for (const row of rows) {
    for (const [key, value] of Object.entries(row)) {
      if (value instanceof Raw) cells.push({ key, raw: value, row: row as Row }) // see `Row`
    }
  }
  return cells
}
