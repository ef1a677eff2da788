/** Schemas of what is on the wire, so that the document states what contracts declare. */
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { copyNode, replaceEncoding } from "../../Server/EffectInternals.ts"
import * as EmptyBody from "../../Server/Exchange/EmptyBody.ts"
import * as Notation from "../../Server/Exchange/Notation.ts"
import { exact } from "./Checks.ts"

/** How a schema is read. */
export interface Options {
  /** Whether unknown members are refused. The default of Effect is to ignore them. */
  readonly isClosed: boolean
  /** Whether values are texts, as in a query: a number is then written as a number. */
  readonly isText: boolean
}

/** The annotation of objects that ignore unknown members. `JsonSchema.clean` reads it. */
export const openObject = "x-flange-open"

/** What is stated about a member of an object. */
type Stated = Readonly<Record<string, unknown>>

type Node = readonly [from: SchemaAST.AST, to: SchemaAST.AST]

/** Returns the function that makes the schemas of one document. It keeps the identity of nodes. */
export const make = () => {
  const made = new Map<object, Array<readonly [...Node, options: string]>>()

  /** Changes the last node that a value is encoded to; the nodes before it stay. */
  const recur = (ast: SchemaAST.AST, options: Options, stated?: Stated): SchemaAST.AST => {
    const last = ast.encoding?.at(-1)
    if (ast.encoding === undefined || last === undefined) return wire(ast, options, stated)
    if (options.isText && last.transformation === numberFromString) {
      const { context } = last.to
      return wire(copyNode(ast, { context, encoding: undefined }), options, stated)
    }
    if (contentTypeId in last.transformation.encode) {
      const [head, ...tail] = ast.encoding.slice(0, -1)
      const inner = replaceEncoding(ast, head && [head, ...tail])
      const codec = Schema.toCodecJson(Schema.make<Schema.Top>(inner)).ast
      const value = recur(codec, { ...options, isText: false })
      const link = new SchemaAST.Link(recur(last.to, options, stated), last.transformation)
      const [first, ...rest] = [...(value.encoding ?? []), link]
      return replaceEncoding(value, [first ?? link, ...rest])
    }
    const to = leaf(last, ast)
    const link = new SchemaAST.Link(recur(to, options, stated), last.transformation)
    const [first, ...rest] = [...ast.encoding.slice(0, -1), link]
    return replaceEncoding(ast, [first ?? link, ...rest])
  }

  /** Changes a node without an encoding. */
  const wire = (ast: SchemaAST.AST, options: Options, stated?: Stated): SchemaAST.AST => {
    const text = JSON.stringify(options)
    const body = bodyOf(ast)
    const known = made.get(body) ?? []
    made.set(body, known)
    const found = known.find(([from, , other]) => other === text && isSameBody(from, ast))
    const to = found?.[1] ?? changed(copyNode(ast, { context: undefined }), options)
    if (found === undefined) known.push([ast, to, text])
    return withContext(to, ast.context, stated)
  }

  const changed = (ast: SchemaAST.AST, options: Options): SchemaAST.AST => {
    const { annotations } = ast
    const checks = ast.checks?.map(exact) as SchemaAST.Checks | undefined
    switch (ast._tag) {
      case "Arrays": {
        const all = (list: ReadonlyArray<SchemaAST.AST>) =>
          list.map((element) => recur(element, options))
        const { elements, isMutable, rest } = ast
        return new SchemaAST.Arrays(isMutable, all(elements), all(rest), annotations, checks)
      }
      case "Declaration": {
        const { representation } = (ast.annotations ??
          {}) as Schema.Annotations.Declaration<unknown>
        if (representation?.id === "effect/http/PersistedFile") {
          return new SchemaAST.String({ format: "binary" })
        }
        const codec = Schema.toCodecJson(Schema.make<Schema.Top>(ast)).ast
        return codec.encoding === undefined ? ast : recur(codec, options)
      }
      case "Objects": {
        const isRecord = ast.indexSignatures.length > 0 && checks === undefined
        return new SchemaAST.Objects(
          ast.propertySignatures.map((property) => propertyOf(property, options)),
          ast.indexSignatures.map(
            ({ parameter, type }) =>
              new SchemaAST.IndexSignature(recur(parameter, options), recur(type, options))
          ),
          options.isClosed || isOfNever(ast)
            ? annotations
            : { ...annotations, [openObject]: isRecord ? "record" : "struct" },
          checks
        )
      }
      case "Suspend": {
        let to: SchemaAST.AST | undefined
        return new SchemaAST.Suspend(() => (to ??= recur(ast.thunk(), options)), annotations)
      }
      case "Union": {
        // In a text, a value that is undefined is absent.
        const present = ast.types.filter((type) => !options.isText || !EmptyBody.isNothing(type))
        const types = present.map((type) => recur(type, options))
        const [only] = types
        return only !== undefined && types.length < Math.min(2, ast.types.length)
          ? only
          : new SchemaAST.Union(types, ast.options, annotations, checks)
      }
      default:
        return checks === undefined ? ast : copyNode(ast, { checks })
    }
  }

  const propertyOf = (property: SchemaAST.PropertySignature, options: Options) => {
    const value = defaultOf(property)
    const stated = value === undefined ? undefined : { default: value }
    return new SchemaAST.PropertySignature(property.name, recur(property.type, options, stated))
  }

  // Effect remembers what it derived from a node, so equal schemas must be one.
  const schemas = new Map<SchemaAST.AST, Map<string, Schema.Top>>()
  return ({ ast }: Schema.Top, options: Options): Schema.Top => {
    const known = schemas.get(ast) ?? new Map<string, Schema.Top>()
    schemas.set(ast, known)
    const key = JSON.stringify(options)
    const schema = known.get(key) ?? Schema.make<Schema.Top>(recur(ast, options))
    known.set(key, schema)
    return schema
  }
}

/** Effect marks what encodes a value to a text with a media type, such as JSON in a text. */
const contentTypeId = Symbol.for("~effect/Schema/content")

/** Returns what a node shares with its copies. */
const bodyOf = (ast: SchemaAST.AST): object => {
  switch (ast._tag) {
    case "Objects":
      return ast.propertySignatures
    case "Suspend":
      return ast.thunk
    case "Union":
      return ast.types
    default:
      return ast
  }
}

/** Whether two nodes differ in nothing but their place in an object. */
const isSameBody = (a: SchemaAST.AST, b: SchemaAST.AST): boolean =>
  a._tag === b._tag &&
  Object.entries(a).every(
    ([key, value]) => key === "context" || value === (b as unknown as Record<string, unknown>)[key]
  )

/** Whether a record declares that it has no members. */
const isOfNever = ({ indexSignatures }: SchemaAST.Objects): boolean =>
  indexSignatures.some(({ type }) => SchemaAST.isNever(SchemaAST.toEncoded(type)))

/** Sets whether a member is optional, and what is said about it. */
const withContext = (
  ast: SchemaAST.AST,
  context: SchemaAST.Context | undefined,
  stated: Stated | undefined
): SchemaAST.AST => {
  const { isOptional = false } = context ?? {}
  const annotations = { ...context?.annotations, ...stated }
  const plain = Schema.make<Schema.Top>(
    ast.context === undefined ? ast : copyNode(ast, { context: undefined })
  )
  const schema: Schema.Top = isOptional ? Schema.optionalKey(plain) : plain
  return Object.keys(annotations).length === 0 ? schema.ast : schema.annotateKey(annotations).ast
}

const lastTransformation = (schema: Schema.Constraint) =>
  schema.ast.encoding?.at(-1)?.transformation

/** Returns what a link encodes to, with what is known of the value if it is not on the wire. */
const leaf = (link: SchemaAST.Link, from: SchemaAST.AST): SchemaAST.AST => {
  const to = Notation.textOf(link, from)
  if (to.encoding !== undefined || !("checks" in to) || isContainer(to)) return to
  const { description, title } = SchemaAST.resolve(from) ?? {}
  const stated = {
    ...(description === undefined ? {} : { description }),
    ...(title === undefined ? {} : { title })
  }
  const [check, ...checks] =
    link.transformation === trim ? (from.checks?.filter(isLength) ?? []) : (to.checks ?? [])
  return copyNode(to, {
    annotations: { ...stated, ...to.annotations },
    checks: check && [check, ...checks]
  })
}

const isContainer = (ast: SchemaAST.AST): boolean => bodyOf(ast) !== ast || SchemaAST.isArrays(ast)

/** The lengths of a trimmed text are stated, although spaces around it do not count. */
const isLength = (check: SchemaAST.Check<never>): boolean =>
  check.annotations?.representation?.id.endsWith("Length") === true

const trim = lastTransformation(Schema.Trim)

/** What decodes a text that is a number. */
const numberFromString = lastTransformation(Schema.FiniteFromString)

/**
 * Returns what an absent member means on the wire; undefined if that is not a constant. It is
 * made twice, because a function of the user's may return another value each time.
 */
const defaultOf = ({ type }: SchemaAST.PropertySignature): unknown => {
  const encoded = SchemaAST.toEncoded(type)
  if (type.encoding === undefined || !SchemaAST.isOptional(encoded)) return undefined
  if (!type.encoding.every(isConstant)) return undefined
  const codec = Schema.Struct({ value: Schema.make<Schema.Codec<unknown>>(type) })
  const once = (): unknown => {
    const decoded = Schema.decodeUnknownExit(codec)({})
    if (Exit.isFailure(decoded)) return undefined
    const encoded = Schema.encodeUnknownExit(codec)(decoded.value)
    return Exit.isSuccess(encoded) ? encoded.value.value : undefined
  }
  try {
    const value = once()
    return JSON.stringify(value) === JSON.stringify(once()) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether a link runs nothing of the user's to make a value of an absent member. */
const isConstant = ({ transformation }: SchemaAST.Link): boolean => {
  if (transformation._tag !== "Transformation") return false
  const { decode } = transformation
  return (
    decode._tag !== "TransformOptionalEffect" || Exit.isExit(decode.transform(Option.none(), {}))
  )
}
