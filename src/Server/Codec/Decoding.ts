/**
 * The functions of a schema: a direct one for values that are plainly valid, and the
 * schema's own for all others.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import type * as SchemaAST from "effect/SchemaAST"
import * as OwnKeys from "../../Contract/OwnKeys.ts"
import * as Direct from "./Direct.ts"
import * as DirectResult from "./DirectResult.ts"

/** Decodes a value. */
export type Decode = (input: unknown) => Effect.Effect<unknown, Schema.SchemaError>

/** The functions of one schema. */
export interface Decoding {
  /** Fails with every issue. Dies with `tooMany` if there are thousands. */
  readonly all: Decode
  /**
   * Returns the value, `DirectResult.refused`, or `DirectResult.undecided` if `first` has to
   * decide.
   */
  readonly direct: DirectResult.Direct
  /**
   * Fails with the first issue. Returns an `Exit` for a valid value unless the schema has to
   * wait.
   */
  readonly first: Decode
}

/** Whether there are options that direct functions do not support. */
export const hasOptions = (options: SchemaAST.ParseOptions | undefined): boolean =>
  Object.keys(options ?? {}).some((option) => option !== "errors")

/** Returns the functions of a schema. To encode, pass the flipped AST. */
export const make = (schema: SchemaAST.AST, options?: SchemaAST.ParseOptions): Decoding => {
  const ast = OwnKeys.of(schema)
  const first = later(ast, { ...options, errors: "first" })
  const all: Decode = (input) => Effect.suspend(() => Direct.decoder(ast, limited(options))(input))
  if (hasOptions(options)) {
    SchemaJITCompiler.enable(ast)
    return { all, direct: leave, first }
  }
  const run = Direct.make(ast)
  const direct: DirectResult.Direct = (input) => DirectResult.run(run, input)
  return {
    all,
    direct,
    first: (input) => {
      const value = direct(input)
      return value === DirectResult.refused || value === DirectResult.undecided
        ? first(input)
        : Exit.succeed(value)
    }
  }
}

/** How many issues a decoder may make until it is stopped. */
const maxMade = 2_000

/** The defect of `all` for a value with so many issues that the decoder was stopped. */
export const tooMany = Symbol("flange/Decoding/tooMany")

/**
 * Returns options by which a decoder dies after many issues; Effect has no such option. An
 * issue reads `reportInput` when it is made, one that only tells that a member of a union
 * does not take the value too.
 */
const limited = (options: SchemaAST.ParseOptions | undefined): SchemaAST.ParseOptions => {
  let made = 0
  return {
    ...options,
    errors: "all",
    get reportInput() {
      if (++made > maxMade) throw tooMany
      return options?.reportInput
    }
  }
}

const leave: DirectResult.Direct = () => DirectResult.undecided

/** Returns the schema's own decoder, made when it is first used: most schemas never need it. */
const later = (ast: SchemaAST.AST, options: SchemaAST.ParseOptions): Decode => {
  let decode: Decode | undefined
  return (input) => (decode ??= Direct.decoder(ast, options))(input)
}
