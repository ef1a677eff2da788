/** Annotations of contracts. */
import * as Context from "effect/Context"

/** An endpoint or a group. Its type does not name the keys of its annotations. */
export type Annotated = { readonly annotations: Context.Context<never> } | undefined

/**
 * Returns the annotation of the first of these contracts that has one; undefined if none has. Name the
 * endpoint before its group.
 */
export const nearest = <I, S>(
  key: Context.Key<I, S>,
  ...contracts: ReadonlyArray<Annotated>
): S | undefined => {
  for (const contract of contracts) {
    const found =
      // Annotations are not part of a type.
      contract && Context.getOrUndefined(contract.annotations as Context.Context<I>, key)
    if (found !== undefined) return found
  }
  return undefined
}
