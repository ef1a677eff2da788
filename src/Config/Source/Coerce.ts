/** Turns the text of a variable into the value that a schema takes. */
import * as SchemaAST from "effect/SchemaAST"
import { accepts, child, expand, type Nodes } from "../SchemaTree.ts"
import { inexactNumbers, isPlain, sanitize } from "../Tree.ts"
import { parseJson } from "./JsonPosition.ts"

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
  const parsed = parseJson(text)
  if (!("value" in parsed)) return undefined
  const { refused, value } = sanitize(parsed.value)
  return refused.length > 0 || inexactNumbers(value, false).length > 0 ? undefined : value
}

// JSON that is not valid would become items with brackets and quotes.
const isItem = (text: string): boolean => text !== "" && !/^["'[{]|["'\]}]$/.test(text)

const list = (nodes: Nodes, text: string): ReadonlyArray<unknown> | undefined => {
  if (text === "") return []
  if (text.startsWith("[")) {
    const parsed = json(text)
    return Array.isArray(parsed) ? parsed : undefined
  }
  const items = text.split(",").map((item) => item.trim())
  if (!items.every(isItem)) return undefined
  return items.map((item, index) => coerce(child(nodes, String(index)), item))
}

const toNumber = (text: string): number | undefined => {
  const number = text.trim() === "" ? NaN : Number(text)
  return Number.isNaN(number) || inexactNumbers(number, false).length > 0 ? undefined : number
}

const candidates = (nodes: Nodes, text: string): ReadonlyArray<unknown> => {
  const leaves = expand(nodes.map(SchemaAST.toEncoded))
  const wants = (...tags: ReadonlyArray<string>): boolean =>
    leaves.some((ast) => tags.includes(ast._tag))
  const literal = (type: string): boolean =>
    leaves.some((ast) => ast._tag === "Literal" && typeof ast.literal === type)
  const output: Array<unknown> = []
  const number = toNumber(text)
  if (number !== undefined && (wants("Enum", "Number") || literal("number"))) output.push(number)
  const truth = truths.get(text.trim().toLowerCase())
  if (truth !== undefined && (wants("Boolean") || literal("boolean"))) output.push(truth)
  const items = wants("Arrays") ? list(nodes, text.trim()) : undefined
  if (items !== undefined) output.push(items)
  if (wants("Objects", "Declaration")) {
    const parsed = json(text)
    if (isPlain(parsed)) output.push(parsed)
  }
  return output
}

/**
 * Returns the value that the text of a variable means: the text itself if the schema accepts it;
 * otherwise the number, boolean (`true`, `1`, `yes`, `on`), list (JSON or commas) or object (JSON)
 * that the text spells. If the schema accepts no such value, one of a type that the schema takes is
 * returned: the error is then about the value and not about its type. Text that spells no such value
 * is returned as it is, and the schema refuses it.
 */
export const coerce = (nodes: Nodes, text: string): unknown => {
  const all = (value: unknown) => nodes.every((ast) => accepts(ast, value))
  const some = (value: unknown) => nodes.some((ast) => accepts(ast, value))
  if (all(text)) return text
  const readings = candidates(nodes, text)
  // Below an object with a default, the nodes have the encoded side too, which takes more.
  const reading = readings.find(all)
  if (reading !== undefined) return reading
  return some(text) ? text : (readings.find(some) ?? (readings.length > 0 ? readings[0] : text))
}

/**
 * Returns why the text of a variable was not read as what the schema takes, or `undefined` if the
 * schema takes text. The reason does not quote the text.
 */
export const whyText = (nodes: Nodes, text: string): string | undefined => {
  const leaves = expand(nodes.map(SchemaAST.toEncoded))
  const wants = (tag: SchemaAST.AST["_tag"]): boolean => leaves.some((ast) => ast._tag === tag)
  if (wants("Arrays")) {
    return 'a variable has a list in JSON, such as ["a", "b"], or as items without quotes and with a comma between two'
  }
  if (wants("Objects"))
    return 'a variable has an object in JSON, such as {"key": "value"}, and each key once'
  const isNumber = text.trim() !== "" && !Number.isNaN(Number(text))
  if (wants("Number") && isNumber && toNumber(text) === undefined) {
    return "it has more digits than a number keeps"
  }
  return undefined
}
