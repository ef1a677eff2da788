/** Finds replies of contracts whose declared status the server cannot send. */
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type { AssemblyProblem } from "../../Plugin/Errors.ts"
import type * as Plugin from "../../Plugin/Plugin.ts"
import { getStatusErrorSchema, getStatusSuccessSchema } from "../EffectInternals.ts"
import { named } from "../Route/Claim.ts"
import * as Declared from "../Route/Declared.ts"

/** Returns a problem for each `error` and `success` that is a union of several statuses. */
export const problems = (plugins: ReadonlyArray<Plugin.Any>): ReadonlyArray<AssemblyProblem> =>
  Declared.of(plugins).flatMap((claim) =>
    [
      ...unions(claim.endpoint, "error", getStatusErrorSchema),
      ...unions(claim.endpoint, "success", getStatusSuccessSchema)
    ].map((reason): AssemblyProblem => ({
      kind: "ImpossibleReply",
      message: `${named(claim)} ${reason}`,
      plugins: [claim.plugin]
    }))
  )

const unions = (
  endpoint: HttpApiEndpoint.Top,
  member: "error" | "success",
  statusOf: (schema: Schema.Top) => number
): ReadonlyArray<string> =>
  [...endpoint[member]].flatMap((schema) => {
    const own = statusOf(schema)
    const others = new Set(
      leaves(schema.ast).flatMap((ast) => {
        const declared = declaredStatus(ast)
        return declared === undefined || declared === own ? [] : [declared]
      })
    )
    if (others.size === 0) return []
    const statuses = [...others].sort((a, b) => a - b).join(", ")
    return [
      `has a union as \`${member}\`, and a union has one status: all its members would be sent with ${own}, and some declare ${statuses}. Write a list, \`${member}: [A, B]\`, instead of Schema.Union.`
    ]
  })

const leaves = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.AST> =>
  SchemaAST.isUnion(ast) ? ast.types.flatMap(leaves) : [ast]

/** Returns the status that a node declares; undefined if it has the default of errors and successes. */
const declaredStatus = (ast: SchemaAST.AST): number | undefined => {
  // The status of a schema is an annotation of its node.
  const node = { ast } as Schema.Top
  const status = getStatusErrorSchema(node)
  return status === getStatusSuccessSchema(node) ? status : undefined
}
