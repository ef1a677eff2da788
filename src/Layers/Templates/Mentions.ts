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

/** Returns the position behind a part of code, or its end. */
const behind = (code: string, end: string, from: number): number => {
  const at = code.indexOf(end, from)
  return at === -1 ? code.length : at + end.length
}

/** Returns the position behind a text that begins with a quote. */
const behindText = (code: string, from: number): number => {
  const quote = code[from]
  let i = from + 1
  while (i < code.length && code[i] !== quote) i += code[i] === "\\" ? 2 : 1
  return i + 1
}

/** Returns code without comments, and without what is in single and double quotes. */
const bare = (code: string, texts: "kept" | "left out"): string => {
  let result = ""
  let i = 0
  while (i < code.length) {
    const char = code[i]!
    let next = i + 1
    if (code.startsWith("/*", i)) next = behind(code, "*/", i + 2)
    else if (code.startsWith("//", i)) next = behind(code, "\n", i)
    else if (char === "`" || char === '"' || char === "'") {
      next = behindText(code, i)
      // The code in a template literal reads fields.
      if (char === "`" || texts === "kept") result += code.slice(i, next)
    } else result += char
    i = next
  }
  return result
}

/** Finds the templates that `include` and `layout` name by a literal. */
export const templatesIn = (code: string, line: number): ReadonlyArray<Mention> =>
  Array.from(
    bare(code, "kept").matchAll(
      /(?<![\w$.])(?:include|layout)\(\s{0,99}(?:"([^"\\]+)"|'([^'\\]+)')/g
    ),
    ([, double, single]) => ({ line, name: double ?? single! })
  )

/** Whether the code may declare a variable or a parameter of the name `it`. */
export const declaresIt = (code: string): boolean =>
  /(?<![\w$.])it\s{0,9}=>|[(,]\s{0,9}it\s{0,9}[,)]|(?:const|let|var)\s{1,9}it(?![\w$])/.test(code)

/** Whether the code calls `output`, or gives it another name. */
export const callsOutput = (code: string): boolean =>
  /(?<![\w$.])output(?![\w$])/.test(bare(code, "left out"))

/** Finds the fields that the code reads of `it`. */
export const fieldsIn = (code: string, line: number): ReadonlyArray<Mention> =>
  Array.from(
    bare(code, "left out").matchAll(/(?<![\w$.])it\??\.([A-Za-z_$][\w$]*)/g),
    ([, name]) => ({ line, name: name! })
  )

/** Returns the names of the fields of data; undefined if the data may have others. */
export const fieldsOf = (data: Schema.Top): ReadonlySet<PropertyKey> | undefined => {
  const ast = SchemaAST.toType(data.ast)
  if (!SchemaAST.isObjects(ast) || ast.indexSignatures.length > 0) return undefined
  return new Set(ast.propertySignatures.map(({ name }) => name))
}
