/** The file of the schema of a row, such as `orders/OrderRow.ts`. */
import { article, block, file, imports, named, namespace } from "./Code.ts"
import type { Field } from "./Fields.ts"
import { rowHelpers } from "./FieldTypes.ts"
import type { Names } from "./Names.ts"
import { declarations } from "./SchemaFile.ts"

/** Returns the text of the file. */
export const text = ({ plural, singular }: Names, fields: ReadonlyArray<Field>): string => {
  const one = singular.pascal
  const other = fields.flatMap(({ isOptional, name, type }) =>
    type.row === undefined
      ? []
      : [[name, isOptional ? `Schema.optionalKey(${type.row})` : type.row] as const]
  )
  const used = Object.entries(rowHelpers).filter(([name]) =>
    fields.some(({ type }) => type.row === name)
  )
  const shared = declarations(used.map(([, helper]) => helper))
  const members = [...other, ["createdAt", "Schema.DateTimeUtcFromDate"] as const].sort(
    ([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)
  )
  return file([
    `/** The schema of a row of the table \`${plural.snake}\`. */
${imports([namespace("effect/Schema"), ...shared.imports, named([one], `./${one}.ts`)])}`,
    ...shared.texts,
    `/** The fields of ${article(singular.words)}, as the columns hold them. Timestamps are dates. */
${block(0, `export const ${one}Row = Schema.Struct({`, [`...${one}.fields`, ...members.map((member) => member.join(": "))], "})")}`
  ])
}
