/** The file of a repository on a table, such as `orders/OrdersRepo.ts`. */
import { block, file, imports, list, named, namespace, width } from "./Code.ts"
import type { Field } from "./Fields.ts"
import type { Names } from "./Names.ts"

const method = (name: string, parameters: ReadonlyArray<string>, result: string): string =>
  list(4, `readonly ${name}: `, "(", parameters, ` => Effect.Effect<${result}>`)

/** Returns the interface of the service, with the class around it. */
export const service = (
  { plural, singular }: Names,
  fields: ReadonlyArray<Field>,
  layer: string
): string => {
  const [many, one] = [plural.pascal, singular.pascal]
  const removes = fields.some(({ isOptional }) => isOptional)
    ? "; an optional one that the draft lacks is removed"
    : ""
  return `export class ${many}Repo extends Context.Service<
  ${many}Repo,
  {
    ${method("create", [`draft: ${one}Draft`], one)}
    /** One page, oldest first. */
    ${method("list", ["query: Pagination.Query"], `Pagination.Page<${one}>`)}
    ${method("read", [`id: ${one}Id`], `${one}, ${one}NotFound`)}
    ${method("remove", [`id: ${one}Id`], `void, ${one}NotFound`)}
    /** Sets every field${removes}. */
    ${method("replace", [`id: ${one}Id`, `draft: ${one}Draft`], `${one}, ${one}NotFound`)}
    /** Sets the fields that are given. */
    ${method("update", [`id: ${one}Id`, `changes: ${one}Changes`], `${one}, ${one}NotFound`)}
  }
>()("app/${many}Repo") {
${layer}
}`
}

/** Returns the imports of every repository. */
export const common = ({ plural, singular }: Names): ReadonlyArray<string> => {
  const one = singular.pascal
  return [
    namespace("effect/Context"),
    namespace("effect/crypto/SecureRandom"),
    namespace("effect/DateTime"),
    namespace("effect/Effect"),
    namespace("effect/Layer"),
    named([`type ${one}`, `type ${one}Changes`, `type ${one}Draft`, `${one}Id`], `./${one}.ts`),
    named([`${one}NotFound`], `./${plural.pascal}Api.ts`)
  ]
}

/** Returns the text of the file. */
export const text = (names: Names, fields: ReadonlyArray<Field>): string => {
  const { plural, singular } = names
  const [many, one] = [plural.pascal, singular.pascal]
  const rows = plural.camel
  const optional = fields
    .filter(({ isOptional }) => isOptional)
    .map(({ name }) => name)
    .sort()
  const nulls = ["...draft", ...optional.map((name) => `${name}: draft.${name} ?? null`)]
  const replacement = nulls.length === 1 ? "draft" : `{ ${nulls.join(", ")} }`
  const update = `${rows}.update(id, `
  const line = `orNotFound(id, ${update}${replacement})),`
  const replace =
    line.length + 32 <= width
      ? ` ${line}`
      : `\n          ${line.length + 10 <= width ? line : `${block(10, "orNotFound(", ["id", block(12, `${update}{`, nulls, "})")], ")")},`}`
  return file([
    `/** The repository of the ${plural.words}, on the table \`${plural.snake}\` that \`migrations\` creates. */
${imports([
  ...common(names),
  namespace("effect/Option"),
  `import type { SqlError } from "effect/sql/SqlError"`,
  `import type { Pagination } from "flange/Contract"`,
  namespace("flange/Database"),
  named([`${one}Row`], `./${one}Row.ts`)
])}`,
    service(
      names,
      fields,
      `  static readonly layer = Layer.effect(
    ${many}Repo,
    Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      ${list(6, `const ${rows} = yield* Database.table("${plural.snake}", `, "{", [`key: "id"`, `row: ${one}Row`], ")")}

      // A failed query is a defect, because a caller cannot handle it. It is logged, and the reply
      // is 500, or 503 if the database cannot be reached.
      const orNotFound = Effect.fnUntraced(function* (
        id: ${one}Id,
        query: Effect.Effect<Option.Option<${one}>, SqlError>
      ) {
        const found = yield* Effect.orDie(query)
        if (Option.isNone(found)) return yield* new ${one}NotFound({ id })
        return found.value
      })

      return ${many}Repo.of({
        create: Effect.fn("${many}Repo.create")(function* (draft) {
          const id = ${one}Id.make(yield* random.uuidV7())
          const created = { ...draft, createdAt: yield* DateTime.now, id }
          yield* Effect.orDie(${rows}.insert(created))
          return created
        }),
        // Ids sort by creation time.
        list: (query) => Effect.orDie(${rows}.page(query)),
        read: (id) => orNotFound(id, ${rows}.find(id)),
        remove: (id) => Effect.asVoid(orNotFound(id, ${rows}.remove(id))),
        replace: (id, draft) =>${replace}
        update: (id, changes) => orNotFound(id, ${rows}.update(id, changes))
      })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))`
    )
  ])
}
