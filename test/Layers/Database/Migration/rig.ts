// Directories of migrations, and the functions of migrations on a client.
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import { it } from "vitest"
import { type Options, run } from "../../../../src/Layers/Database/Migration/Migrations.ts"
import { type Backend, open } from "../backends.ts"

export type Files = Readonly<Record<string, string | Uint8Array>>

export const files = (directory: string, contents: Files) =>
  Effect.promise(async () => {
    for (const [name, text] of Object.entries(contents)) {
      await writeFile(join(directory, name), text)
    }
  })

export const directoryOf = (contents: Files) =>
  Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "flange-migrations-"))),
    (directory) => Effect.promise(() => rm(directory, { recursive: true }))
  ).pipe(Effect.tap((directory) => files(directory, contents)))

/** A module outside of the repository cannot import `effect`: it gets it by URL. */
const effectUrl = (name: string) => import.meta.resolve(`effect/${name}`)

export const codeMigration = (body: string, transaction = true) =>
  `import * as Effect from "${effectUrl("Effect")}"
import * as SqlClient from "${effectUrl("sql/SqlClient")}"
${transaction ? "" : "export const transaction: boolean = false"}
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  ${body}
})
`

/** Creates a test over a client on an empty database. */
export const checkOn =
  (backend: Backend) =>
  (
    title: string,
    test: (sql: SqlClient.SqlClient, url: string) => Effect.Effect<unknown, unknown, Scope.Scope>
  ) =>
    it(title, () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const url = yield* backend.fresh
            yield* test(yield* open(url, { maxConnections: 3 }), url)
          })
        ).pipe(Effect.provide(Logger.layer([])))
      )
    )

export const migrate = (
  sql: SqlClient.SqlClient,
  directory: string | URL,
  options: Omit<Options, "directories"> = {}
) => Effect.provideService(run({ ...options, directories: [directory] }), SqlClient.SqlClient, sql)

/** The names of the applied migrations. */
export const applied = (sql: SqlClient.SqlClient) =>
  Effect.map(sql<{ name: string }>`select name from flange_migrations order by id`, (rows) =>
    rows.map(({ name }) => name)
  )
