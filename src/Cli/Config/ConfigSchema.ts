/** The JSON Schema of the configuration file of an app, for editors and checks. */
import type { JsonSchema } from "effect/JsonSchema"
import * as Schema from "effect/Schema"
import { type Key, keysOfSection } from "../../Config/Report/Keys.ts"
import { descend, fromAst, isOpen } from "../../Config/SchemaTree.ts"
import type { Compiled } from "../../Config/Section.ts"

/** The schemas of a file by dotted key, and those to which they refer. */
const documentOf = (sections: ReadonlyArray<Compiled>) => {
  const fields = sections.flatMap((section) =>
    [[], ...keysOfSection(section).map(({ path }) => path)].map((path) => [
      [section.name, ...path].join("."),
      fromAst(descend(section.encoded, path)[0]!)
    ])
  )
  // In one document, schemas of the same name get different ones.
  const { definitions, schema } = Schema.toJsonSchemaDocument(
    Schema.Struct(Object.fromEntries(fields)),
    { onExcessProperty: "error" }
  )
  return { definitions, schemas: schema["properties"] as Record<string, JsonSchema> }
}

/** An object none of whose keys is required, because a variable can set each. */
const object = (properties: Record<string, JsonSchema>): JsonSchema => ({
  additionalProperties: false,
  properties,
  // In YAML, what is below may be commented out.
  type: ["object", "null"]
})

const describedBy = ({ default: fallback, description, expected }: Key, schema: JsonSchema) => ({
  ...schema,
  ...(fallback === undefined ? {} : { default: fallback }),
  description: description === undefined ? expected : `${description} (${expected})`
})

const sectionOf = (section: Compiled, schemas: Record<string, JsonSchema>): JsonSchema => {
  const keys = keysOfSection(section)
  if (keys.length === 0 || isOpen(section.encoded)) return schemas[section.name]!
  const below = (depth: number, keys: ReadonlyArray<Key>): JsonSchema =>
    object(
      Object.fromEntries(
        [...Map.groupBy(keys, ({ path }) => path[depth]!)].flatMap(
          ([name, [first, ...others]]): ReadonlyArray<[string, JsonSchema]> => {
            const { isSecret, key, path } = first!
            if (path.length > depth + 1) return [[name, below(depth + 1, [first!, ...others])]]
            const own = describedBy(first!, schemas[key]!)
            if (!isSecret) return [[name, own]]
            const description = `the path of a file with the value of ${key}`
            return [
              [name, own],
              [`${name}File`, { description, type: "string" }]
            ]
          }
        )
      )
    )
  return below(0, keys)
}

/** Returns the schema of the file. It describes each section once, for the file and its overlays. */
export const of = (sections: ReadonlyArray<Compiled>): JsonSchema => {
  const { definitions, schemas } = documentOf(sections)
  const references = Object.fromEntries(
    sections.map(({ name }) => [name, { $ref: `#/$defs/section.${name}` }])
  )
  return {
    $defs: {
      ...definitions,
      ...Object.fromEntries(
        sections.map((section) => [`section.${section.name}`, sectionOf(section, schemas)])
      )
    },
    $schema: "https://json-schema.org/draft/2020-12/schema",
    additionalProperties: false,
    properties: {
      $schema: { type: "string" },
      env: { description: "the environment, if FLANGE_ENV is not set", type: "string" },
      environments: {
        additionalProperties: object(references),
        description: "what differs in an environment, by its name",
        type: ["object", "null"]
      },
      ...references
    },
    type: "object"
  }
}
