/** Adds elements to a list in a module, in the layout of the list. */
import type { ArrayExpression, ObjectExpression, Span } from "oxc-parser"
import { width } from "./Code.ts"
import type { Edit, Module } from "./Syntax.ts"

/** A list in brackets. */
export interface List {
  readonly end: number
  readonly items: ReadonlyArray<Pick<Span, "end" | "start">>
  readonly start: number
}

/** Returns the list of an array. */
export const ofArray = ({ elements, end, start }: ArrayExpression): List => ({
  end,
  items: elements.filter((element) => element !== null),
  start
})

/** Returns the edit that adds a member before the others of an object. */
export const prepend = (
  { text }: Module,
  { properties, start }: ObjectExpression,
  member: string
): Edit => {
  const [first] = properties
  const at = start + 1
  if (first === undefined) return { end: at, start: at, text: ` ${member} ` }
  const gap = text.slice(at, first.start)
  const indent = /\n[ \t]*/.exec(gap)?.[0]
  return { end: at, start: at, text: `${indent ?? " "}${member},` }
}

/** Returns the text with spaces in the place of comments. */
const withoutComments = ({ comments, text }: Module): string =>
  comments.reduce(
    (all, { end, start }) => all.slice(0, start) + " ".repeat(end - start) + all.slice(end),
    text
  )

/** Returns the spaces before the first character of the line of a position. */
const indentAt = (text: string, at: number): string =>
  /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", at - 1) + 1))![0]

/** Returns the edit that adds the elements after the last one. */
export const append = (module: Module, list: List, added: ReadonlyArray<string>): Edit => {
  const { text } = module
  const close = list.end - 1
  const last = list.items.at(-1)
  const from = last?.end ?? list.start + 1
  const tail = text.slice(from, close)
  const bare = withoutComments(module).slice(from, close)
  const comma = bare.indexOf(",")
  const lateComma = comma === -1 ? "" : ","
  if (bare.includes("\n")) {
    const indent = last === undefined ? `${indentAt(text, close)}  ` : indentAt(text, last.start)
    const comma = last === undefined || lateComma !== "" ? "" : ","
    // A comment after the last element stays beside it.
    const before = `${comma}${tail.trimEnd()}`
    return {
      end: close,
      start: from,
      text: `${before}\n${indent}${added.join(`,\n${indent}`)}${lateComma}\n${indentAt(text, close)}`
    }
  }
  const joined = added.join(", ")
  const line =
    last === undefined
      ? { end: close, start: from, text: joined }
      : lateComma === ""
        ? { end: from, start: from, text: `, ${joined}` }
        : { end: from + comma + 1, start: from + comma + 1, text: ` ${joined},` }
  const lineStart = text.lastIndexOf("\n", list.start) + 1
  const lineEnd = /$/m.exec(text.slice(close))!.index + close
  const isOnOneLine = lineStart === text.lastIndexOf("\n", close) + 1
  if (!isOnOneLine || lineEnd - lineStart + line.text.length <= width) return line
  const indent = indentAt(text, list.start)
  const items = [...list.items.map(({ end, start }) => text.slice(start, end)), ...added]
  return {
    end: close,
    start: list.start + 1,
    text: `\n${indent}  ${items.join(`,\n${indent}  `)}${lateComma}\n${indent}`
  }
}
