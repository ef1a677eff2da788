/** Checks of schemas as the document states them. */
import * as SchemaAST from "effect/SchemaAST"
import { pattern } from "./Pattern.ts"

/**
 * Returns a check that states itself as it was declared. Effect weakens lengths, because
 * JavaScript counts UTF-16 units and JSON Schema characters, and leaves out patterns
 * without the flag `u`: a document that is stricter about rare characters only is of more
 * use than one that does not have the rule.
 */
export const exact = (check: SchemaAST.Check<never>): SchemaAST.Check<never> => {
  if (check._tag === "FilterGroup") {
    const [first, ...rest] = check.checks
    return new SchemaAST.FilterGroup([exact(first), ...rest.map(exact)], check.annotations)
  }
  const { annotations } = check
  const declared = annotations?.toJsonSchema
  const stated = statementOf(annotations?.representation)
  if (declared === undefined || stated === undefined) return check
  return check.annotate({
    toJsonSchema: (input: Parameters<typeof declared>[0]) => {
      const weak = declared(input)
      // What is no list is exact, or the contract's own.
      return Array.isArray(weak) && input.type === "string" ? stated : weak
    }
  })
}

/** Returns the keywords of a check of texts. */
const statementOf = (
  representation: { readonly id: string; readonly payload: unknown } | undefined
): Record<string, number | string> | undefined => {
  // The payloads are Effect's own, by the identifier of the check.
  const payload = representation?.payload as Record<string, number & string>
  switch (representation?.id) {
    case "effect/schema/isBetweenLength":
      return { maxLength: payload["maximum"]!, minLength: payload["minimum"]! }
    case "effect/schema/isMaxLength":
      return { maxLength: payload["maxLength"]! }
    case "effect/schema/isMinLength":
      return { minLength: payload["minLength"]! }
    case "effect/schema/isPattern": {
      const stated = pattern(payload["source"]!, payload["flags"]!)
      return stated === undefined ? undefined : { pattern: stated }
    }
    default:
      return undefined
  }
}
