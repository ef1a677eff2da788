/** The files of an action, and its line in a plugin. */
import { posix } from "node:path"
import { file, imports, named, namespace } from "./Code.ts"
import * as ImportEdit from "./ImportEdit.ts"
import * as ListEdit from "./ListEdit.ts"
import type { Name } from "./Names.ts"
import * as Syntax from "./Syntax.ts"
import * as TestFile from "./TestFile.ts"

/** An action of a feature. */
export interface ActionSpec {
  /** The name of the action, such as `orders.archive`. */
  readonly action: string
  /** The folder of the feature. */
  readonly folder: string
  /** The name of the class, such as `OrdersArchive`. */
  readonly name: Name
  readonly places: TestFile.Places
  /** The folder of the tests. */
  readonly tests: string
}

/** Returns the files by their paths. */
export const files = ({ action, folder, name, places, tests }: ActionSpec) => {
  const { kebab, pascal } = name
  return {
    [posix.join(folder, `${pascal}.ts`)]: file([
      `/** The action \`${action}\`. Run it with: npx flange action run ${action} */
${imports([namespace("effect/Effect"), namespace("effect/Schema"), named(["Action"], "flange")])}`,
      `export const ${pascal} = Action.make("${action}", {
  success: Schema.Struct({ name: Schema.String })
})`,
      `export const ${pascal}Action = Action.implement(${pascal}, () =>
  Effect.succeed({ name: "${action}" })
)`
    ]),
    [posix.join(tests, `${kebab}.test.ts`)]: TestFile.ofClass(
      pascal,
      places,
      {
        comment: `the action \`${action}\``,
        suite: `the action ${action}`,
        test: "returns its name"
      },
      [
        `const result = yield* api.run(${pascal}.call())`,
        `expect(result).toEqual({ name: "${action}" })`
      ]
    )
  }
}

/** Returns the text of the file of a plugin with an action; undefined if it has not one plugin. */
export const added = (module: Syntax.Module, name: string, source: string): string | undefined => {
  const plugins = Syntax.callsOf(module, "flange#Plugin.make")
  const options = plugins.length === 1 ? plugins[0]?.arguments[1] : undefined
  if (options?.type !== "ObjectExpression") return undefined
  const property = options.properties.find(
    (each) =>
      each.type === "Property" && each.key.type === "Identifier" && each.key.name === "actions"
  )
  const given = property?.type === "Property" ? Syntax.resolved(module, property.value) : undefined
  if (property !== undefined && given?.type !== "ArrayExpression") return undefined
  const edit =
    given?.type === "ArrayExpression"
      ? ListEdit.append(module, ListEdit.ofArray(given), [name])
      : ListEdit.prepend(module, options, `actions: [${name}]`)
  return Syntax.edited(module.text, [edit, ImportEdit.add(module, name, source)])
}
