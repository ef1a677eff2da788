/** The keys that the query of a request may have, for endpoints that refuse others. */
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpMethod from "effect/http/HttpMethod"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as Nearest from "../../Config/Nearest.ts"
import type { Issue } from "../../Contract/Catalogue.ts"
import * as Issues from "../Exchange/Issues.ts"

/** Returns an issue for each key that is not known. */
export type Unknown = (query: Readonly<Record<string, unknown>>) => ReadonlyArray<Issue>

/** Returns the function that finds unknown keys; `undefined` if the contract takes every key. */
export const make = ({ method, payload, query }: HttpApiEndpoint.Top): Unknown | undefined => {
  const parts = query === undefined ? [] : [Schema.toCodecArrayFromSingle(query)]
  // The payload of a method without a body is in the query.
  const payloads = HttpMethod.hasBody(method)
    ? []
    : [...payload.values()].flatMap(({ schemas }) => schemas)
  const known = new Set<string>()
  for (const { ast } of [...parts, ...payloads]) {
    if (!collect(SchemaAST.toEncoded(ast), known)) return undefined
  }
  const names = [...known].toSorted()
  return (found) =>
    Object.keys(found)
      .filter((key) => !known.has(key))
      .map((key) => ({
        detail: explained(key, names),
        location: "query",
        pointer: Issues.pointerSegment(key)
      }))
}

/** Adds the keys of a schema. Returns whether it takes no others. */
const collect = (ast: SchemaAST.AST, known: Set<string>): boolean => {
  if (SchemaAST.isUnion(ast)) return ast.types.every((type) => collect(type, known))
  if (!SchemaAST.isObjects(ast) || ast.indexSignatures.length > 0) return false
  for (const { name } of ast.propertySignatures) known.add(String(name))
  return true
}

/** No known key is longer than this, so that a longer one resembles none. */
const longest = 100

const explained = (key: string, known: ReadonlyArray<string>): string => {
  const shown = JSON.stringify(key.length > longest ? `${key.slice(0, longest)}...` : key)
  const nearest = key.length > longest ? undefined : Nearest.nearest(key, known)
  if (nearest !== undefined) return `Unknown key ${shown}. Did you mean "${nearest}"?`
  return known.length === 0
    ? `Unknown key ${shown}. The query takes no keys.`
    : `Unknown key ${shown}. The query takes ${known.join(", ")}.`
}
