/**
 * Direct functions of schemas. A direct function returns the value that the schema
 * decodes, or refuses, without an `Effect` and without an issue. The schema's own
 * decoder finds the issues of a refused value.
 *
 * The functions are closures of a few function literals over data, so that all schemas
 * share machine code. Equal parts of schemas share one function.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as Notation from "../Exchange/Notation.ts"
import * as Containers from "./Containers.ts"
import { absent, type Direct, ended, leave, refused } from "./DirectResult.ts"
import { identity, share } from "./Sharing.ts"

/** The options of checks and transformations. */
const options: SchemaAST.ParseOptions = { errors: "first" }

const compiled = new WeakMap<SchemaAST.AST, Direct>()

/**
 * Returns the function of a schema. Equal schemas share it: schemas of the same structure
 * that run the same code. To encode, pass the flipped AST. Call it with `DirectResult.run`.
 */
export const make = (ast: SchemaAST.AST): Direct => {
  let found = compiled.get(ast)
  if (found === undefined) compiled.set(ast, (found = encoded(ast)))
  return found
}

/** Returns the function of a schema, its encodings included. */
const encoded = (ast: SchemaAST.AST): Direct => {
  const local = checked(ast)
  if (local === undefined) return whole(ast)
  let run = same
  for (const { to, transformation } of (ast.encoding ?? []).toReversed()) {
    // A middleware needs the failure of the schema inside, and a direct function has none.
    if (transformation._tag === "Middleware") return whole(ast)
    const isFirst = run === same
    const seesMissing = hasDefault(to)
    // Direct functions support a default for a missing key in the first encoding only.
    if (seesMissing && !isFirst) return whole(ast)
    const source = seesMissing || !hasDefault(ast) ? make(to) : passing(make(to))
    run = getter(then(run, source), isFirst && Notation.isNumberText(to), transformation.decode)
  }
  return then(run, local)
}

/** Runs one function after another. */
const then = (first: Direct, second: Direct): Direct => {
  if (first === same) return second
  return share(`then(${identity(first)},${identity(second)})`, () => (input) => {
    const value = first(input)
    return value === refused || value === absent ? value : second(value)
  })
}

/** Keeps a missing key missing. */
const passing = (run: Direct): Direct =>
  share(`passing(${identity(run)})`, () => (input) => (input === absent ? absent : run(input)))

type Getter = Extract<
  SchemaAST.Link["transformation"],
  { readonly _tag: "Transformation" }
>["decode"]

const same: Direct = (input) => input

/**
 * Transforms the result of a function. `takesDigits` is whether that function returns every
 * text of digits as it is.
 */
const getter = (run: Direct, takesDigits: boolean, getter: Getter): Direct => {
  if (getter._tag === "Passthrough") return run
  const { _tag, transform } = getter
  return share(`${_tag}(${identity(run)},${identity(transform)},${takesDigits})`, (): Direct => {
    switch (_tag) {
      case "Transform": {
        const transformed = then(run, transform)
        return takesDigits && transform === Number
          ? (input) => digits(input) ?? transformed(input)
          : transformed
      }
      case "TransformEffect":
        return then(run, (value) => ended(transform(value, options)))
      case "TransformOptional":
        return (input) => {
          const value = run(input)
          return value === refused ? refused : fromOption(transform(toOption(value)))
        }
      case "TransformOptionalEffect":
        return (input) => {
          const value = run(input)
          if (value === refused) return refused
          const option = ended(transform(toOption(value), options))
          // A getter of this kind succeeds with an option.
          return option === refused ? refused : fromOption(option as Option.Option<unknown>)
        }
    }
  })
}

/** Returns the number of a text of up to 15 digits, such as an id; undefined for other texts. */
const digits = (input: unknown): number | undefined => {
  if (typeof input !== "string" || input.length === 0 || input.length > 15) return undefined
  // A number of several digits does not start with 0.
  if (input.charCodeAt(0) === 48 && input.length > 1) return undefined
  let number = 0
  for (let i = 0; i < input.length; i++) {
    const digit = input.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return undefined
    number = number * 10 + digit
  }
  return number
}

const toOption = (value: unknown) => (value === absent ? Option.none() : Option.some(value))

const fromOption = (option: Option.Option<unknown>) =>
  option._tag === "None" ? absent : option.value

/** Returns the function of a schema with its checks. */
const checked = (ast: SchemaAST.AST): Direct | undefined => {
  const run = local(ast)
  const before = filters("encodingChecks" in ast ? ast.encodingChecks : undefined)
  const after = filters(ast.checks)
  if (run === undefined || (before.length === 0 && after.length === 0)) return run
  // A check gets the schema as an argument, so the key needs the schema's annotations too.
  const parts = [run, ast.annotations, ...before, undefined, ...after]
  return share(`checks(${parts.map(identity).join()})`, (): Direct => {
    if (before.length === 0 && after.length === 1) {
      const [check] = after
      return (input) => {
        const value = run(input)
        if (value === refused || value === absent) return value
        return check!(value, ast, options) === undefined ? value : refused
      }
    }
    return (input) => {
      const value = run(input)
      if (value === refused || value === absent) return value
      for (let i = 0; i < before.length; i++) {
        if (before[i]!(input, ast, options) !== undefined) return refused
      }
      for (let i = 0; i < after.length; i++) {
        if (after[i]!(value, ast, options) !== undefined) return refused
      }
      return value
    }
  })
}

type Check = SchemaAST.Filter<unknown>["run"]

const filters = (checks: SchemaAST.Checks | undefined): ReadonlyArray<Check> =>
  (checks ?? []).flatMap(function flat(check): ReadonlyArray<Check> {
    return check._tag === "Filter" ? [check.run] : check.checks.flatMap(flat)
  })

/** Returns the function of a schema without its checks and encoding; undefined if it has none. */
const local = (ast: SchemaAST.AST): Direct | undefined => {
  switch (ast._tag) {
    case "Any":
    case "Unknown":
      return same
    case "Arrays":
      return arrays(ast)
    case "BigInt":
      return isBigInt
    case "Boolean":
      return isBoolean
    case "Declaration":
      return declaration(ast)
    case "Enum":
      return oneOf(ast.enums.map(([, value]) => value))
    case "Literal":
      return oneOf([ast.literal])
    case "Never":
      return never
    case "Null":
      return oneOf([null])
    case "Number":
      return isNumber
    case "Objects":
      return objects(ast)
    case "String":
      return isString
    case "Suspend":
      return suspend(ast)
    case "Symbol":
      return isSymbol
    case "Undefined":
      return oneOf([undefined])
    case "Union":
      return union(ast)
    case "Void":
      return toUndefined
    default:
      return undefined
  }
}

const isBigInt: Direct = (input) => (typeof input === "bigint" ? input : refused)
const isBoolean: Direct = (input) => (typeof input === "boolean" ? input : refused)
const isNumber: Direct = (input) => (typeof input === "number" ? input : refused)
const isString: Direct = (input) => (typeof input === "string" ? input : refused)
const isSymbol: Direct = (input) => (typeof input === "symbol" ? input : refused)
const isPresent: Direct = (input) => (input === null || input === undefined ? refused : input)
const never: Direct = () => refused
const toUndefined: Direct = () => undefined

/** Creates the schema's own decoder. */
export const decoder = (ast: SchemaAST.AST, options: SchemaAST.ParseOptions) =>
  Schema.decodeUnknownEffect(
    // Schemas of a contract need no services other than those of the fiber that decodes.
    Schema.make<Schema.ConstraintDecoder<unknown> & { readonly ast: SchemaAST.AST }>(ast),
    options
  )

/** Returns a function that runs the schema's own decoder. */
const whole = (ast: SchemaAST.AST): Direct =>
  share(`whole(${identity(ast)})`, () => {
    const decode = decoder(ast, options)
    return (input) => (input === absent ? leave() : ended(decode(input)))
  })

const declaration = (ast: SchemaAST.Declaration): Direct => {
  const { annotations, encodingRun, run, typeParameters } = ast
  const parts = [annotations, encodingRun, run, ...typeParameters]
  return share(`declaration(${parts.map(identity).join()})`, () =>
    whole(
      new SchemaAST.Declaration(
        typeParameters,
        run,
        annotations,
        undefined,
        undefined,
        undefined,
        undefined,
        encodingRun
      )
    )
  )
}

const suspend = (ast: SchemaAST.Suspend): Direct =>
  share(`suspend(${identity(ast)})`, () => {
    let run: Direct | undefined
    return (input) =>
      input === absent && !hasDefault(ast.thunk()) ? absent : (run ??= make(ast.thunk()))(input)
  })

/** Returns the values of a schema of literals; undefined for any other schema. */
const literals = (ast: SchemaAST.AST): ReadonlyArray<unknown> | undefined => {
  if (ast.checks !== undefined || ast.encoding !== undefined) return undefined
  switch (ast._tag) {
    case "Enum":
      return ast.enums.map(([, value]) => value)
    case "Literal":
      return [ast.literal]
    case "Null":
      return [null]
    case "Undefined":
      return [undefined]
    default:
      return undefined
  }
}

const oneOf = (values: ReadonlyArray<unknown>): Direct => {
  const key = values.map((value) => `${typeof value} ${value}`)
  const make = (): Direct => {
    if (values.length === 1) return (input) => (input === values[0] ? input : refused)
    if (values.length < 9) return (input) => (values.indexOf(input) === -1 ? refused : input)
    const set = new Set(values)
    return (input) => (set.has(input) ? input : refused)
  }
  return share(`literals(${JSON.stringify(key)})`, make)
}

const union = (ast: SchemaAST.Union): Direct | undefined => {
  if (ast.options?.mode === "oneOf") return undefined
  const values = ast.types.map(literals)
  if (values.every((list) => list !== undefined)) return oneOf(values.flat())
  return Containers.union(ast.types.map(make))
}

const arrays = ({ elements, rest }: SchemaAST.Arrays): Direct | undefined => {
  if (elements.length === 0 && rest.length === 1) return Containers.list(make(rest[0]!))
  return rest.length === 0 && !elements.some(SchemaAST.isOptional)
    ? Containers.tuple(elements.map(make))
    : undefined
}

const objects = ({
  indexSignatures,
  propertySignatures
}: SchemaAST.Objects): Direct | undefined => {
  if (indexSignatures.length === 0) {
    return propertySignatures.length === 0 ? isPresent : struct(propertySignatures)
  }
  const [{ parameter, type }, ...others] = indexSignatures as [SchemaAST.IndexSignature]
  return propertySignatures.length + others.length === 0 &&
    SchemaAST.isString(parameter) &&
    parameter.checks === undefined &&
    parameter.encoding === undefined
    ? Containers.record(make(type))
    : undefined
}

const struct = (signatures: ReadonlyArray<SchemaAST.PropertySignature>): Direct | undefined => {
  const properties: Array<Containers.Property> = []
  for (const { name, type } of signatures) {
    // An assignment to `__proto__` adds no key.
    if (typeof name === "symbol" || name === "__proto__") return undefined
    properties.push({
      decode: make(type),
      hasDefault: hasDefault(type),
      isOptional: SchemaAST.isOptional(type),
      name: String(name)
    })
  }
  return Containers.struct(properties)
}

/** Whether a getter may make a value of nothing. One that `SchemaGetter` has not made has no tag. */
const mayBeOptional = ({ _tag }: { readonly _tag?: string }): boolean =>
  _tag === undefined || _tag.startsWith("TransformOptional")

/** Whether a schema may make a value of a missing key. */
const hasDefault = (ast: SchemaAST.AST): boolean =>
  ast._tag === "Suspend" ||
  ast.encoding?.some(
    ({ to, transformation }) =>
      transformation._tag !== "Transformation" ||
      mayBeOptional(transformation.decode) ||
      hasDefault(to)
  ) === true
