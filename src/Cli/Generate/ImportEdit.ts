/** Adds an import to a module, at its place among the sorted imports. */
import type { Edit, Module } from "./Syntax.ts"

/** Packages come before files, and both are sorted without regard to case. */
const keyOf = (source: string): string => `${source.startsWith(".") ? 2 : 1}${source.toLowerCase()}`

/** Returns the edit that adds `import { name } from "source"`, in the style of the other imports. */
export const add = ({ program, text }: Module, name: string, source: string): Edit => {
  const imports = program.body.filter((statement) => statement.type === "ImportDeclaration")
  const key = keyOf(source)
  const before = imports.findLast((statement) => keyOf(statement.source.value) < key)
  const sample = before ?? imports[0]
  const quote = sample?.source.raw?.charAt(0) ?? '"'
  const end = sample !== undefined && text.charAt(sample.end - 1) === ";" ? ";" : ""
  const statement = `import { ${name} } from ${quote}${source}${quote}${end}`
  if (before === undefined) {
    const start = imports[0]?.start ?? program.start
    return { end: start, start, text: `${statement}\n` }
  }
  // A comment on the line of the import before stays there.
  const start = before.end + text.slice(before.end).search(/\r?\n|$/)
  return { end: start, start, text: `\n${statement}` }
}
