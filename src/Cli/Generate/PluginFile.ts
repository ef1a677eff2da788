/** The file of a plugin, such as `orders/OrdersPlugin.ts`. */
import { file, imports, named, namespace } from "./Code.ts"
import type { Access } from "./ContractFile.ts"
import type { Names } from "./Names.ts"

/** Returns the text of the file. */
export const text = ({ plural }: Names, access: Access, store: "database" | "memory"): string => {
  const many = plural.pascal
  const all = plural.camel
  const isStored = store === "database"
  return file([
    `/** The plugin of the ${plural.words}: repository, ${isStored ? "migrations and " : ""}handlers. */`
      .replace("repository, handlers", "repository and handlers")
      .concat(
        "\n",
        imports([
          namespace("effect/Effect"),
          ...(isStored ? [named(["SqlClient"], "effect/sql/SqlClient")] : []),
          named(["Plugin", "Route"], "flange"),
          named(["Created"], "flange/Contract"),
          named([`${many}Api`], `./${many}Api.ts`),
          named([`${many}Repo`], `./${many}Repo.ts`)
        ])
      ),
    `const ${many}Routes = Route.${access}(${many}Api, (handlers) =>
  Effect.gen(function* () {
    const ${all} = yield* ${many}Repo
    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ payload }) {
        const created = yield* ${all}.create(payload)
        return Created.at(\`/v1/${plural.kebab}/\${created.id}\`, created)
      }),
      list: ({ query }) => ${all}.list(query),
      read: ({ params }) => ${all}.read(params.id),
      remove: ({ params }) => ${all}.remove(params.id),
      replace: ({ params, payload }) => ${all}.replace(params.id, payload),
      update: ({ params, payload }) => ${all}.update(params.id, payload)
    })
  })
)`,
    `export const ${many}Plugin = Plugin.make("app:${plural.kebab}", {
  layer: ${many}Repo.layer,
${isStored ? `  migrations: new URL("../migrations", import.meta.url),\n` : ""}  provides: [${many}Repo],
${isStored ? "  requires: [SqlClient],\n" : ""}  routes: [${many}Routes]
})`
  ])
}
