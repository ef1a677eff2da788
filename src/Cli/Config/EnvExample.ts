/** The file `.env.example` of an app: all variables that it reads, each in a comment. */
import type { Key } from "../../Config/Report/Keys.ts"

const heading = `# The variables of this app. Copy this file to .env, and remove the # before what you set.
# An app reads .env in the environments local and test. Elsewhere the platform sets variables.`

/** Writes a value as text that a line of a file of variables keeps; empty if no quotes can hold it. */
const written = (value: unknown): string => {
  if (value === undefined) return ""
  const text = typeof value === "string" ? value : JSON.stringify(value)
  if (/^[\w.:/+-]*$/.test(text)) return text
  // Only the first line would be in the comment.
  if (/[\r\n]/.test(text)) return ""
  const quote = ["'", '"', "`"].find(
    (one) => !text.includes(one) && !(one === '"' && text.includes("\\"))
  )
  return quote === undefined ? "" : quote + text + quote
}

const linesOf = ({
  default: fallback,
  description,
  expected,
  isRequired,
  isSecret,
  key,
  variables
}: Key): ReadonlyArray<string> => [
  "",
  ...(description ?? "").split(/\r?\n/).flatMap((line) => (line === "" ? [] : [`# ${line}`])),
  `# ${key}: ${expected.replaceAll(/\s+/g, " ")}${isSecret && !expected.endsWith("(secret)") ? " (secret)" : ""}${isRequired ? ", required" : ""}`,
  `# ${variables[0]}=${written(fallback)}`
]

/** Returns the file. Defaults stand behind the variables; secrets have none. */
export const render = (keys: ReadonlyArray<Key>): string =>
  [heading, ...keys.flatMap(linesOf)].join("\n")
