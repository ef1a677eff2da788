/** Turns the text of a variable into the value that a schema takes. */
import * as SchemaAST from "effect/SchemaAST"
import { accepts, child, expand, type Nodes } from "../SchemaTree.ts"
import { isPlain, sanitize } from "../Tree.ts"

const truths: ReadonlyMap<string, boolean> = new Map([
  ["0", false],
  ["1", true],
  ["false", false],
  ["n", false],
  ["no", false],
  ["off", false],
  ["on", true],
  ["true", true],
  ["y", true],
  ["yes", true]
])

const json = (text: string): unknown => {
  try {
    const { refused, value } = sanitize(JSON.parse(text))
    return refused.length === 0 ? value : undefined
  } catch {
    return undefined
  }
}

const list = (nodes: Nodes, text: string): ReadonlyArray<unknown> => {
  const parsed = text.trim().startsWith("[") ? json(text) : undefined
  if (Array.isArray(parsed)) return parsed
  if (text.trim() === "") return []
  return text.split(",").map((item, index) => coerce(child(nodes, String(index)), item.trim()))
}

const candidates = (nodes: Nodes, text: string): ReadonlyArray<unknown> => {
  const leaves = expand(nodes.map(SchemaAST.toEncoded))
  const wants = (...tags: ReadonlyArray<string>): boolean =>
    leaves.some((ast) => tags.includes(ast._tag))
  const literal = (type: string): boolean =>
    leaves.some((ast) => ast._tag === "Literal" && typeof ast.literal === type)
  const output: Array<unknown> = []
  const number = text.trim() === "" ? NaN : Number(text)
  if (Number.isFinite(number) && (wants("Enum", "Number") || literal("number"))) output.push(number)
  const truth = truths.get(text.trim().toLowerCase())
  if (truth !== undefined && (wants("Boolean") || literal("boolean"))) output.push(truth)
  if (wants("Arrays")) output.push(list(nodes, text))
  if (wants("Objects", "Declaration")) {
    const parsed = json(text)
    if (isPlain(parsed)) output.push(parsed)
  }
  return output
}

/**
 * Returns the value that the text of a variable means: the text itself if the schema accepts it;
 * otherwise the number, boolean (`true`, `1`, `yes`, `on`), list (JSON or commas) or object (JSON)
 * that the text spells. If the schema accepts none of these, a value of a type that the schema
 * takes is returned: the error is then about the value and not about its type.
 */
export const coerce = (nodes: Nodes, text: string): unknown => {
  if (nodes.length === 0 || nodes.some((ast) => accepts(ast, text))) return text
  const readings = candidates(nodes, text)
  return (
    readings.find((reading) => nodes.some((ast) => accepts(ast, reading))) ??
    (readings.length > 0 ? readings[0] : text)
  )
}
