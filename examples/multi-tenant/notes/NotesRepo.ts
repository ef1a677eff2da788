/** The repository of the notes. Each method takes a tenant, and each statement names it. */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as SqlSchema from "effect/sql/SqlSchema"
import { Pagination } from "flange/Contract"
import { Tenant } from "../auth/Tenant.ts"
import { Note, type NoteDraft, NoteId } from "./Note.ts"
import { NoteNotFound, NoteTitleTaken } from "./NotesApi.ts"

export class NotesRepo extends Context.Service<
  NotesRepo,
  {
    readonly create: (tenant: Tenant, draft: NoteDraft) => Effect.Effect<Note, NoteTitleTaken>
    /** One page of the notes of a tenant, oldest first. */
    readonly list: (tenant: Tenant, query: Pagination.Query) => Effect.Effect<Pagination.Page<Note>>
    readonly read: (tenant: Tenant, id: NoteId) => Effect.Effect<Note, NoteNotFound>
    readonly remove: (tenant: Tenant, id: NoteId) => Effect.Effect<void, NoteNotFound>
    readonly replace: (
      tenant: Tenant,
      id: NoteId,
      draft: NoteDraft
    ) => Effect.Effect<Note, NoteNotFound | NoteTitleTaken>
  }
>()("multi-tenant/NotesRepo") {
  static readonly layer = Layer.effect(
    NotesRepo,
    Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const sql = yield* SqlClient

      const Key = Schema.Struct({ id: NoteId, tenant: Tenant })
      const find = SqlSchema.findOneOption({
        execute: ({ id, tenant }) =>
          sql`select id, title from notes where tenant = ${tenant} and id = ${id}`,
        Request: Key,
        Result: Note
      })
      const findPage = SqlSchema.findAll({
        execute: ({ limit, offset, tenant }) => sql`
          select id, title from notes where tenant = ${tenant}
          order by id limit ${limit} offset ${offset}`,
        Request: Schema.Struct({ limit: Schema.Int, offset: Schema.Int, tenant: Tenant }),
        Result: Note
      })
      const count = SqlSchema.findOne({
        execute: (tenant) => sql`select count(*) as total from notes where tenant = ${tenant}`,
        Request: Tenant,
        Result: Schema.Struct({ total: Schema.BigInt })
      })

      const orTaken = <A>(query: Effect.Effect<A, SqlError>) =>
        query.pipe(
          Effect.catchReason("SqlError", "UniqueViolation", () =>
            Effect.fail(new NoteTitleTaken())
          ),
          Effect.catchTag("SqlError", Effect.die)
        )

      const read = Effect.fnUntraced(function* (tenant: Tenant, id: NoteId) {
        const note = yield* Effect.orDie(find({ id, tenant }))
        if (Option.isNone(note)) return yield* new NoteNotFound({ id })
        return note.value
      })

      return NotesRepo.of({
        create: Effect.fn("NotesRepo.create")(function* (tenant, { title }) {
          const id = NoteId.make(yield* random.uuidV7())
          yield* orTaken(sql`insert into notes ${sql.insert({ id, tenant, title })}`)
          return { id, title }
        }),
        list: Effect.fn("NotesRepo.list")(function* (tenant, query) {
          const { limit } = query
          const items = yield* Effect.orDie(
            findPage({ limit, offset: Pagination.offset(query), tenant })
          )
          const { total } = yield* Effect.orDie(count(tenant))
          return Pagination.make(query, items, Number(total))
        }),
        read,
        remove: Effect.fn("NotesRepo.remove")(function* (tenant, id) {
          yield* read(tenant, id)
          yield* Effect.orDie(sql`delete from notes where tenant = ${tenant} and id = ${id}`)
        }),
        replace: Effect.fn("NotesRepo.replace")(function* (tenant, id, { title }) {
          yield* orTaken(
            sql`update notes set title = ${title} where tenant = ${tenant} and id = ${id}`
          )
          return yield* read(tenant, id)
        })
      })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}
