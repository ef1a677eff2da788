/** Schemas that are strict about the texts of a request. */
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import { MalformedRequest } from "../../Contract/Catalogue.ts"
import * as Issues from "../Exchange/Issues.ts"
import * as Notation from "../Exchange/Notation.ts"
import * as JsonText from "./JsonText.ts"

/** Changes a schema. Returns the same schema for the same one. */
export type Strict = (ast: SchemaAST.AST) => SchemaAST.AST

const made = new Map<number, Strict>()

/**
 * Returns the function that makes schemas strict: numbers and dates have one notation, and a
 * text of JSON obeys the rules of a JSON body.
 */
export const of = (maxJsonDepth: number): Strict => {
  const strict = made.get(maxJsonDepth) ?? Notation.strict(json(maxJsonDepth))
  made.set(maxJsonDepth, strict)
  return strict
}

const utf8 = new TextEncoder()

const json = (maxDepth: number): Notation.Check =>
  Schema.makeFilter((text: string) => {
    try {
      JsonText.parse(utf8.encode(text), maxDepth)
      return undefined
    } catch (error) {
      if (!(error instanceof MalformedRequest)) throw error
      return error.errors.map(({ detail, pointer }) => ({
        issue: detail,
        path: Issues.segments(pointer)
      }))
    }
  })
