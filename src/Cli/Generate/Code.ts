/** Pieces of TypeScript, laid out as oxfmt lays them out. */

/** The longest line. */
export const width = 100

const pairs = { "(": ")", "[": "]", "{": "}" } as const

/**
 * Returns a list in brackets: on one line if it fits, or else with a line for each item. `indent` is
 * the number of spaces before the first line, which are not part of the text.
 */
export const list = (
  indent: number,
  before: string,
  bracket: keyof typeof pairs,
  items: ReadonlyArray<string>,
  after = ""
): string => {
  const space = bracket === "{" ? " " : ""
  const close = pairs[bracket]
  const line = `${before}${bracket}${space}${items.join(", ")}${space}${close}${after}`
  const isShort = !line.includes("\n") && indent + line.length <= width
  return isShort ? line : block(indent, `${before}${bracket}`, items, `${close}${after}`)
}

/** Returns a list as `list` does, where a comma follows that is not part of the text. */
export const listBeforeComma = (
  indent: number,
  before: string,
  bracket: keyof typeof pairs,
  items: ReadonlyArray<string>,
  after = ""
): string => list(indent, before, bracket, items, `${after},`).slice(0, -1)

/** Returns a list with a line for each item. */
export const block = (
  indent: number,
  open: string,
  items: ReadonlyArray<string>,
  close: string
): string => {
  const inner = " ".repeat(indent + 2)
  return `${open}\n${inner}${items.join(`,\n${inner}`)}\n${" ".repeat(indent)}${close}`
}

const key = (path: string): string => (path.startsWith(".") ? `2${path}` : `1${path}`).toLowerCase()

/** Returns the path of an import. */
const pathOf = (statement: string): string => statement.split('"').at(-2)!

/** Compares import statements: packages come before files. */
const byPath = (a: string, b: string): number => (key(pathOf(a)) < key(pathOf(b)) ? -1 : 1)

/** Returns import statements in their order. */
export const imports = (statements: ReadonlyArray<string>): string =>
  [...statements].sort(byPath).join("\n")

/** Returns an import of names, which may begin with `type`. */
export const named = (names: ReadonlyArray<string>, path: string): string => {
  const bare = (name: string) => name.replace(/^type /, "").toLowerCase()
  const sorted = [...names].sort((a, b) => (bare(a) < bare(b) ? -1 : 1))
  return sorted.length === 1
    ? `import { ${sorted[0]} } from "${path}"`
    : list(0, "import ", "{", sorted, ` from "${path}"`)
}

/** Returns the import of a module as a namespace, which is named after it. */
export const namespace = (path: string): string =>
  `import * as ${path.split("/")[path.startsWith("flange/") ? 1 : path.split("/").length - 1]} from "${path}"`

/** Returns the text of a file whose parts have a blank line between them. */
export const file = (parts: ReadonlyArray<string>): string => `${parts.join("\n\n")}\n`

/** Returns words with their article. */
export const article = (words: string): string => `${/^[aeiou]/.test(words) ? "an" : "a"} ${words}`
