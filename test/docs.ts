// Takes the `ts` code fences out of Markdown and of JSDoc, as files that can be checked and run.
//
// - ```ts                  is type-checked and run.
// - ```ts no-run           is only type-checked.
// - ```ts file=name.ts     fences of one document that name the same file are joined in it.
// - `expression // => value`  asserts that the expression, a statement, deeply equals the value;
//   `console.log(expression) // => value` too.
//
// Any other language (`sh`, `json`, ...) is left alone.
import { parseSync } from "oxc-parser"

export interface Snippet {
  /** The document and line, for people. */
  readonly name: string
  /** Where it is written, relative to the folder of all snippets. */
  readonly path: string
  readonly run: boolean
  /** Its code, each line where it stands in the document. */
  readonly text: string
}

interface Fence {
  readonly info: ReadonlyArray<string>
  readonly lines: ReadonlyArray<string>
  /** Of the first line of code, from 0. */
  readonly start: number
}

const fencesOf = (lines: ReadonlyArray<string | undefined>): ReadonlyArray<Fence> => {
  const fences: Array<Fence> = []
  let open: { close: RegExp; indent: number; info: Array<string>; start: number } | undefined
  for (const [i, line] of lines.entries()) {
    if (open) {
      if (line !== undefined && !open.close.test(line)) continue
      const { indent, info, start } = open
      const code = lines.slice(start, i).map((l) => l!.slice(Math.min(indent, l!.search(/\S|$/))))
      if (info[0] === "ts") fences.push({ info: info.slice(1), lines: code, start })
      open = undefined
      continue
    }
    const match = /^(\s*)(`{3,})([^`]*)$/.exec(line ?? "")
    if (!match) continue
    const close = new RegExp(`^\\s*\`{${match[2]!.length},}\\s*$`)
    open = { close, indent: match[1]!.length, info: match[3]!.trim().split(/\s+/), start: i + 1 }
  }
  return fences
}

/** The lines of a source file, without those outside JSDoc and without the leading stars. */
const jsDocLines = (text: string): ReadonlyArray<string | undefined> => {
  let inside = false
  return text.split(/\r?\n/).map((line) => {
    if (/^\s*\/\*\*/.test(line)) inside = true
    const found = inside ? line.replace(/^\s*(\/\*\*|\*(?!\/)) ?/, "") : undefined
    if (line.includes("*/")) inside = false
    return found
  })
}

const prelude = `import { deepStrictEqual as __equal } from "node:assert/strict"; `

/** Turns `expression // => value` into an assertion; the value may stand on the next line. */
const withAssertions = (name: string, text: string): string => {
  const { comments, errors, program } = parseSync("snippet.ts", text)
  if (errors.length > 0) throw new Error(`${name}: ${errors[0]!.message}`)
  let result = text
  for (const statement of program.body.toReversed()) {
    if (statement.type !== "ExpressionStatement") continue
    const comment = comments.find(
      (c) =>
        c.start >= statement.end && /^[ \t]*\n?[ \t]*$/.test(text.slice(statement.end, c.start))
    )
    const value = comment && /^\s*=>\s*(.+?)\s*$/.exec(comment.value)?.[1]
    if (!comment || value === undefined) continue
    const { expression } = statement
    const logged =
      expression.type === "CallExpression" &&
      text.slice(expression.callee.start, expression.callee.end) === "console.log" &&
      expression.arguments.length === 1
        ? expression.arguments[0]!
        : expression
    const code = text.slice(logged.start, logged.end)
    result = `${result.slice(0, statement.start)};__equal(${code}, ${value})${result.slice(comment.end)}`
  }
  return result === text ? text : prelude + result
}

/** The snippets of one document; `file` is its path from the root of the repository. */
export const snippetsOf = (file: string, text: string): ReadonlyArray<Snippet> => {
  const markdown = file.endsWith(".md")
  const fences = fencesOf(markdown ? text.split(/\r?\n/) : jsDocLines(text))
  const folder = file.replaceAll(/[^\w-]+/g, "_")
  const groups = Map.groupBy(fences, ({ info, start }) => {
    const named = info.find((word) => word.startsWith("file="))?.slice("file=".length)
    return `${folder}/${named ?? `line${start}.ts`}`
  })
  return [...groups].map(([path, group]) => {
    const lines: Array<string> = []
    for (const fence of group) {
      while (lines.length < fence.start) lines.push("")
      lines.push(...fence.lines)
    }
    const name = `${file}:${group[0]!.start}`
    const run = !group.some(({ info }) => info.includes("no-run"))
    return { name, path, run, text: `${withAssertions(name, lines.join("\n"))}\nexport {}\n` }
  })
}
