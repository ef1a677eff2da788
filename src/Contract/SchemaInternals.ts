/** What Flange takes from the inside of Effect's schemas and browsers may import; `EffectInternals` has the rest. */
import * as SchemaAST from "effect/SchemaAST"

type Change = (ast: SchemaAST.AST) => SchemaAST.AST

/**
 * Returns a node whose parts are changed, such as the types of its properties. It has no
 * encoding if a part differs. Effect marks the method that does it as internal.
 */
export const recur = (ast: SchemaAST.AST, change: Change): SchemaAST.AST =>
  "recur" in ast ? (ast.recur as (change: Change) => SchemaAST.AST)(change) : ast

/** Keeps what Effect remembers of a node, which a copy does not. Effect marks it as internal. */
export const replaceEncoding: <A extends SchemaAST.AST>(
  ast: A,
  encoding: SchemaAST.Encoding | undefined
) => A = (SchemaAST as unknown as { readonly replaceEncoding: typeof replaceEncoding })
  .replaceEncoding
