/** The file of a repository in memory, for apps without a database. */
import { file, imports, named } from "./Code.ts"
import type { Field } from "./Fields.ts"
import type { Names } from "./Names.ts"
import { common, service } from "./RepoFile.ts"

const presentFields = `type Present<Fields> = { readonly [Name in keyof Fields]: Exclude<Fields[Name], null> }

/** Returns the fields that are not null. */
const present = <Fields extends object>(fields: Fields): Present<Fields> =>
  // The fields that remain are those of the type.
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null)
  ) as Present<Fields>`

/** Returns the text of the file. */
export const text = (names: Names, fields: ReadonlyArray<Field>): string => {
  const { plural, singular } = names
  const [many, one] = [plural.pascal, singular.pascal]
  const all = plural.camel
  const hasOptional = fields.some(({ isOptional }) => isOptional)
  const merged = "{ ...found, ...changes }"
  const update = (changed: string) => `Effect.map(read(id), (found) => set(${changed}))`
  return file([
    `/** The repository of the ${plural.words}, in memory until the process ends. */
${imports([...common(names), named(["Pagination"], "flange/Contract")])}`,
    service(
      names,
      fields,
      `  static readonly layer = Layer.effect(
    ${many}Repo,
    Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const ${all} = new Map<${one}Id, ${one}>()

      const read = Effect.fnUntraced(function* (id: ${one}Id) {
        const found = ${all}.get(id)
        if (found === undefined) return yield* new ${one}NotFound({ id })
        return found
      })

      const set = (changed: ${one}): ${one} => {
        ${all}.set(changed.id, changed)
        return changed
      }

      return ${many}Repo.of({
        create: Effect.fn("${many}Repo.create")(function* (draft) {
          const id = ${one}Id.make(yield* random.uuidV7())
          return set({ ...draft, createdAt: yield* DateTime.now, id })
        }),
        list: (query) =>
          Effect.sync(() => {
            const start = Pagination.offset(query)
            const page = [...${all}.values()].slice(start, start + query.limit)
            return Pagination.make(query, page, ${all}.size)
          }),
        read,
        remove: (id) => Effect.map(read(id), () => void ${all}.delete(id)),
        replace: (id, draft) =>
          Effect.map(read(id), ({ createdAt }) => set({ ...draft, createdAt, id })),
        update: (id, changes) =>${hasOptional ? `\n          ${update(`present(${merged})`)}` : ` ${update(merged)}`}
      })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))`
    ),
    ...(hasOptional ? [presentFields] : [])
  ])
}
