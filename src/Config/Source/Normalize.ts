/** Reads values that a format cannot express, or that depend on the machine, as the schema means them. */
import * as DateTime from "effect/DateTime"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { accepts, child, expand, fromAst, type Nodes } from "../SchemaTree.ts"
import type { Compiled } from "../Section.ts"
import { isPlain, type Tree, tree } from "../Tree.ts"

// YAML has `null` for a key below which everything is commented out.
const fromNull = (nodes: Nodes): unknown => {
  if (nodes.some((ast) => accepts(ast, null))) return null
  const leaves = expand(nodes.map(SchemaAST.toEncoded))
  if (leaves.some((ast) => ast._tag === "Objects")) return undefined
  return leaves.some(SchemaAST.isArrays) ? [] : null
}

// `new Date` reads a time without an offset in the time zone of the machine.
const fromText = (nodes: Nodes, text: string): string => {
  const isLocal = nodes.some((ast) => {
    const exit = Schema.decodeUnknownExit(fromAst(ast))(text)
    return (
      Exit.isSuccess(exit) &&
      exit.value instanceof Date &&
      exit.value.getTime() === new Date(text).getTime()
    )
  })
  if (!isLocal) return text
  return Option.match(DateTime.make(text), { onNone: () => text, onSome: DateTime.formatIso })
}

const visit = (nodes: Nodes, value: unknown): unknown => {
  if (value === null) return fromNull(nodes)
  if (typeof value === "string") return fromText(nodes, value)
  if (Array.isArray(value)) {
    return value.map((item, index) => visit(child(nodes, String(index)), item) ?? item)
  }
  if (!isPlain(value)) return value
  return tree(
    Object.entries(value).flatMap(([key, inner]) => {
      const read = visit(child(nodes, key), inner)
      return read === undefined ? [] : [[key, read] as const]
    })
  )
}

/**
 * Returns the values with `null` for an object left out, `null` for a list as the empty list, and
 * dates without an offset in UTC. A `null` that the schema accepts stays.
 */
export const normalize = (values: Tree, sections: ReadonlyArray<Compiled>): Tree =>
  tree(
    Object.entries(values).flatMap(([name, value]) => {
      const nodes = sections.find((section) => section.name === name)?.nodes ?? []
      const read = nodes.length === 0 ? value : visit(nodes, value)
      return read === undefined ? [] : [[name, read] as const]
    })
  )
