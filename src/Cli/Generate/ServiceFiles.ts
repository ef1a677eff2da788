/** The files of a plugin with a service. */
import { posix } from "node:path"
import { file, imports, named, namespace } from "./Code.ts"
import type { Name } from "./Names.ts"
import * as TestFile from "./TestFile.ts"

/** A plugin with a service. */
export interface ServiceSpec {
  /** The folder of the feature. */
  readonly folder: string
  readonly name: Name
  readonly places: TestFile.Places
  /** The folder of the tests. */
  readonly tests: string
}

/** Returns the files by their paths. */
export const files = ({ folder, name, places, tests }: ServiceSpec) => {
  const { kebab, pascal, words } = name
  return {
    [posix.join(folder, `${pascal}.ts`)]: file([
      `/** The service of the feature ${words}. */
${imports(["effect/Context", "effect/Effect", "effect/Layer"].map(namespace))}`,
      `export class ${pascal} extends Context.Service<
  ${pascal},
  {
    /** The name of the feature. */
    readonly name: Effect.Effect<string>
  }
>()("app/${pascal}") {
  static readonly layer = Layer.succeed(${pascal}, {
    name: Effect.succeed("${kebab}")
  })
}`
    ]),
    [posix.join(folder, `${pascal}Plugin.ts`)]: file([
      `/** The plugin of the feature ${words}. */
${imports([named(["Plugin"], "flange"), named([pascal], `./${pascal}.ts`)])}`,
      `export const ${pascal}Plugin = Plugin.make("app:${kebab}", {
  layer: ${pascal}.layer,
  provides: [${pascal}]
})`
    ]),
    [posix.join(tests, `${kebab}.test.ts`)]: TestFile.ofClass(
      pascal,
      places,
      { comment: `the service of the feature ${words}`, suite: words, test: "has a name" },
      [
        `const name = yield* api.run(${pascal}.use((service) => service.name))`,
        `expect(name).toBe("${kebab}")`
      ]
    )
  }
}
