/**
 * Schemas whose keys are those that a value has itself. Effect looks for the key of a struct with
 * `in`, and finds `constructor` in every object.
 */
import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { recur, replaceEncoding } from "./SchemaInternals.ts"

/** The names of what objects inherit. For `__proto__` Effect itself looks at the object alone. */
const inherited: ReadonlySet<PropertyKey> = new Set(
  Object.getOwnPropertyNames(Object.prototype).filter((name) => name !== "__proto__")
)

// All that is inherited under these names is a function, which no value of such a key is.
const own = new SchemaAST.Link(
  SchemaAST.unknown,
  new SchemaTransformation.Transformation<unknown, unknown>(
    SchemaGetter.transformOptional(Option.filter((value) => typeof value !== "function")),
    SchemaGetter.passthrough()
  )
)

const made = new WeakMap<SchemaAST.AST, SchemaAST.AST>()

/**
 * Returns a schema that decodes the same, for which keys that are only inherited are missing. To
 * encode, pass the flipped AST.
 */
export const of = (ast: SchemaAST.AST): SchemaAST.AST => (matters(ast) ? withOwnKeys(ast) : ast)

/** The codec of a schema. */
type CodecOf<S extends Schema.Constraint> = Schema.Codec<
  S["Type"],
  S["Encoded"],
  S["DecodingServices"],
  S["EncodingServices"]
>

/** Returns a codec that decodes as a schema does, for which keys that are only inherited are missing. */
export const decoding = <S extends Schema.Constraint>(schema: S): CodecOf<S> =>
  Schema.make<CodecOf<S>>(of(schema.ast))

/** Returns a codec that encodes as a schema does, for which keys that are only inherited are missing. */
export const encoding = <S extends Schema.Constraint>(schema: S): CodecOf<S> =>
  Schema.make<CodecOf<S>>(
    matters(schema.ast) ? SchemaAST.flip(withOwnKeys(SchemaAST.flip(schema.ast))) : schema.ast
  )

/** Makes a function when it is called first: a schema may have a part that is declared later. */
const later = <A>(make: () => (input: unknown) => A): ((input: unknown) => A) => {
  let made: ((input: unknown) => A) | undefined
  return (input) => (made ??= make())(input)
}

/** `Schema.decodeUnknownEffect` for which keys that are only inherited are missing. */
export const decodeUnknownEffect = <S extends Schema.Constraint>(
  schema: S,
  options?: SchemaAST.ParseOptions
): ((input: unknown) => Effect.Effect<S["Type"], Schema.SchemaError, S["DecodingServices"]>) =>
  later(() => Schema.decodeUnknownEffect(decoding(schema), options))

/** `Schema.encodeUnknownEffect` for which keys that are only inherited are missing. */
export const encodeUnknownEffect = <S extends Schema.Constraint>(
  schema: S,
  options?: SchemaAST.ParseOptions
): ((input: unknown) => Effect.Effect<S["Encoded"], Schema.SchemaError, S["EncodingServices"]>) =>
  later(() => Schema.encodeUnknownEffect(encoding(schema), options))

/** Whether a schema has a key that objects inherit. */
export const matters = (ast: SchemaAST.AST): boolean => {
  const seen = new Set<SchemaAST.AST>()
  let isFound = false
  const visit = (part: SchemaAST.AST): SchemaAST.AST => {
    if (isFound || seen.has(part)) return part
    seen.add(part)
    if (SchemaAST.isSuspend(part)) visit(part.thunk())
    else recur(part, visit)
    isFound ||= SchemaAST.isObjects(part) && hasInherited(part)
    for (const { to } of part.encoding ?? []) visit(to)
    return part
  }
  visit(ast)
  return isFound
}

const hasInherited = ({ propertySignatures }: SchemaAST.Objects): boolean =>
  propertySignatures.some(({ name }) => inherited.has(name))

const withOwnKeys = (ast: SchemaAST.AST): SchemaAST.AST => {
  const found = made.get(ast) ?? changed(ast)
  made.set(ast, found)
  return found
}

const changed = (ast: SchemaAST.AST): SchemaAST.AST => {
  const parts = recur(ast, withOwnKeys)
  const body = SchemaAST.isObjects(parts) ? withOwn(parts) : parts
  if (ast.encoding === undefined) return body
  const links = ast.encoding.map((link) => {
    const to = withOwnKeys(link.to)
    return to === link.to ? link : new SchemaAST.Link(to, link.transformation)
  })
  const isChanged = body !== ast || links.some((link, i) => link !== ast.encoding![i])
  // As many links as before.
  return isChanged ? replaceEncoding(body, links as unknown as SchemaAST.Encoding) : ast
}

const withOwn = (ast: SchemaAST.Objects): SchemaAST.Objects =>
  hasInherited(ast)
    ? new SchemaAST.Objects(
        ast.propertySignatures.map(({ name, type }) =>
          inherited.has(name)
            ? new SchemaAST.PropertySignature(
                name,
                replaceEncoding(type, [...(type.encoding ?? []), own])
              )
            : new SchemaAST.PropertySignature(name, type)
        ),
        ast.indexSignatures,
        ast.annotations,
        ast.checks,
        undefined,
        ast.context,
        ast.encodingChecks
      )
    : ast
