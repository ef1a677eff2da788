/**
 * What the code in the tags of a template mentions: other templates, and fields of its data. They are found in
 * the text of the code, to be checked when the app starts. What is computed is found at run time.
 */
import type * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"

/** A name, and the line of the tag that has it. */
export interface Mention {
  readonly line: number
  readonly name: string
}

const withoutComments = (code: string): string =>
  code.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*/g, "$1")

/** Finds the templates that `include` and `layout` name by a literal. */
export const templatesIn = (code: string, line: number): ReadonlyArray<Mention> =>
  Array.from(
    withoutComments(code).matchAll(/(?<![\w$.])(?:include|layout)\(\s*(["'`])([^"'`$\\]+)\1/g),
    ([, , name]) => ({ line, name: name! })
  )

/** Whether the code declares a variable or a parameter of the name `it`. */
export const declaresIt = (code: string): boolean =>
  /(?<![\w$.])it\s*=>|[(,]\s*it\s*[,)][^;]*(?:=>|\{)|(?<![\w$.])(?:const|let|var)\s+it(?![\w$])/.test(
    code
  )

/** Finds the fields that the code reads of `it`. */
export const fieldsIn = (code: string, line: number): ReadonlyArray<Mention> =>
  Array.from(
    withoutComments(code)
      // A text may be about it.
      .replaceAll(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""')
      .matchAll(/(?<![\w$.])it\??\.([A-Za-z_$][\w$]*)/g),
    ([, name]) => ({ line, name: name! })
  )

/** Returns the names of the fields of data; undefined if the data may have others. */
export const fieldsOf = (data: Schema.Top): ReadonlySet<PropertyKey> | undefined => {
  const ast = SchemaAST.toType(data.ast)
  if (!SchemaAST.isObjects(ast) || ast.indexSignatures.length > 0) return undefined
  return new Set(ast.propertySignatures.map(({ name }) => name))
}
