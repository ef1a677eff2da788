/** Refuses contracts in which clients send markup: `Html` trusts the text that it is decoded from. */
import * as SchemaAST from "effect/SchemaAST"
import { annotation } from "../../Contract/Markup.ts"
import type { AssemblyProblem } from "../../Plugin/Errors.ts"
import type * as PluginCheck from "../../Plugin/PluginCheck.ts"
import { named } from "../../Server/Route/Claim.ts"
import * as Declared from "../../Server/Route/Declared.ts"

/** Whether a schema has `Html` in it. */
const hasHtml = (ast: SchemaAST.AST, seen: Set<SchemaAST.AST>): boolean => {
  if (seen.has(ast)) return false
  seen.add(ast)
  if (SchemaAST.resolve(ast)?.[annotation] === true) return true
  return childrenOf(ast).some((child) => hasHtml(child, seen))
}

const childrenOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.AST> => {
  switch (ast._tag) {
    case "Arrays":
      return [...ast.elements, ...ast.rest]
    case "Declaration":
      return ast.typeParameters
    case "Objects":
      return [
        ...ast.propertySignatures.map(({ type }) => type),
        ...ast.indexSignatures.map(({ type }) => type)
      ]
    case "Suspend":
      return [ast.thunk()]
    case "Union":
      return ast.types
    default:
      return []
  }
}

/** Returns a problem for each endpoint whose requests have `Html`. */
export const check: PluginCheck.Check = ({ plugins }) =>
  Declared.of(plugins).flatMap((claim): ReadonlyArray<AssemblyProblem> => {
    const { headers, params, payload, query } = claim.endpoint
    const parts = [
      headers,
      params,
      query,
      ...[...payload.values()].flatMap(({ schemas }) => schemas)
    ]
    if (!parts.some((part) => part !== undefined && hasHtml(part.ast, new Set()))) return []
    return [
      {
        kind: "UntrustedMarkup",
        message: `${named(claim)} takes Html from clients, whose text would be sent to others as it is. Write Schema.String, and make markup of it with a sanitizer and Html.trusted`,
        plugins: [claim.plugin]
      }
    ]
  })
