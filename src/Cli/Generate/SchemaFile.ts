/** The file of the schemas, such as `orders/Order.ts`. */
import * as String from "effect/String"
import { article, block, file, imports, list, listBeforeComma, namespace } from "./Code.ts"
import type { Field } from "./Fields.ts"
import { type Helper, helpers } from "./FieldTypes.ts"
import type { Names } from "./Names.ts"

/** The names of the constants of the fields: `Customer`, or `OrderDate` where `Date` is taken. */
const constantsOf = (one: string, fields: ReadonlyArray<Field>): ReadonlyMap<string, string> => {
  const taken = new Set(
    ["Changes", "Draft", "Id", ""]
      .map((end) => one + end)
      .concat("BigDecimal", "DateTime", "Option", "Schema")
  )
  return new Map(
    fields.map(({ name }) => {
      let constant = String.capitalize(name)
      while (taken.has(constant) || constant in globalThis) constant = one + constant
      taken.add(constant)
      return [name, constant]
    })
  )
}

const byName = <A extends { readonly name: string }>(all: ReadonlyArray<A>): ReadonlyArray<A> =>
  all.toSorted((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))

/** Returns a sentence about PATCH. */
const patchOf = (fields: ReadonlyArray<Field>): string => {
  const optional = fields.filter(({ isOptional }) => isOptional).map(({ name }) => name)
  const removes = optional.length === 1 ? `the field \`${optional[0]}\`` : "an optional field"
  return `The body of PATCH: an absent field is unchanged${optional.length === 0 ? "" : `, and \`null\` removes ${removes}`}.`
}

/** Returns a doc comment, which is broken after 100 characters. */
const comment = (text: string): string => {
  if (text.length <= 93) return `/** ${text} */`
  const at = text.lastIndexOf(" ", 96)
  return `/**\n * ${text.slice(0, at)}\n * ${text.slice(at + 1)}\n */`
}

/** Returns the declarations of the helpers that fields use. */
export const declarations = (used: ReadonlyArray<Helper>) => ({
  imports: [...new Set(used.flatMap((helper) => helper.imports))].map(namespace),
  texts: used.map(({ text }) => text)
})

/** Returns the text of the file. */
export const text = ({ singular }: Names, fields: ReadonlyArray<Field>): string => {
  const one = singular.pascal
  const constants = constantsOf(one, fields)
  const used = [...new Set(fields.flatMap(({ type }) => type.uses))].sort()
  const shared = declarations(used.map((name) => helpers[name]))
  const optionalKey = (name: string, schema: string) =>
    listBeforeComma(2, `${name}: Schema.optionalKey`, "(", [schema])
  const own = fields.map(({ isOptional, name }) => {
    const constant = constants.get(name)!
    return {
      changes: optionalKey(name, isOptional ? `Schema.NullOr(${constant})` : constant),
      name,
      schema: isOptional ? optionalKey(name, constant) : `${name}: ${constant}`
    }
  })
  const all = [
    ...own,
    { changes: "", name: "createdAt", schema: "createdAt: Schema.DateTimeUtcFromString" },
    { changes: "", name: "id", schema: `id: ${one}Id` }
  ]
  const struct = (name: string, members: ReadonlyArray<string>, doc: ReadonlyArray<string>) =>
    [
      ...doc,
      block(0, `export const ${name} = Schema.Struct({`, members, "})"),
      `export type ${name} = typeof ${name}.Type`
    ].join("\n")
  return file([
    `/** The schemas of ${article(singular.words)}, shared by the server and every client. */
${imports([namespace("effect/Schema"), ...shared.imports])}`,
    `/** The server creates ids as UUIDs of version 7, so that they sort by creation time. */
${list(0, `export const ${one}Id = Schema.String.check(Schema.isUUID(7)).pipe`, "(", [`Schema.brand("${one}Id")`])}
export type ${one}Id = typeof ${one}Id.Type`,
    ...shared.texts,
    ...byName(fields).map(({ name, type }) => type.schema(`const ${constants.get(name)!} = `)),
    struct(
      one,
      byName(all).map(({ schema }) => schema),
      []
    ),
    struct(
      `${one}Draft`,
      byName(own).map(({ schema }) => schema),
      ["/** The fields that callers set: the body of POST and PUT. */"]
    ),
    struct(
      `${one}Changes`,
      byName(own).map(({ changes }) => changes),
      [comment(patchOf(fields))]
    )
  ])
}
