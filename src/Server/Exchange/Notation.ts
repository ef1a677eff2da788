/**
 * How numbers, dates and JSON are written in the texts of a request. Effect decodes a text with
 * `Number`, `BigInt` and `Date`, which also take other notations and turn an impossible date into
 * another one.
 */
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { copyNode, recur, replaceEncoding } from "../EffectInternals.ts"

/** A check of a text before it is decoded. */
export type Check = SchemaAST.Filter<string>

const integer = Schema.isPattern(/^(?:0|-?[1-9]\d*)$/, {
  expected: "an integer in decimal digits, such as 42 or -7"
})

// The time to read a `BigInt` grows faster than its length, and calculating with a large exponent
// writes out as many digits.
const bigInteger = Schema.isPattern(/^(?:0|-?[1-9]\d{0,999})$/, {
  expected: "an integer of at most 1000 decimal digits, such as 42 or -7"
})

const decimal = Schema.isPattern(/^-?(?:0|[1-9]\d{0,999})(?:\.\d{1,1000})?(?:[Ee][+-]?\d{1,3})?$/, {
  expected:
    "a number as JSON writes it, such as 42, -1.5 or 1e3, of at most 1000 digits before and after the point and 3 in the exponent"
})

const jsonNumber = "-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[Ee][+-]?\\d+)?"

const number = Schema.isPattern(new RegExp(`^${jsonNumber}$`), {
  expected: "a number as JSON writes it, such as 42, -1.5 or 1e3"
})

/** Of a schema that takes infinities and NaN too. */
const anyNumber = Schema.isPattern(new RegExp(`^(?:${jsonNumber}|-?Infinity|NaN)$`), {
  expected: "a number as JSON writes it, such as 42, -1.5 or 1e3, or Infinity, -Infinity or NaN"
})

const fullDate = "(\\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])"

const fullTime =
  "T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)"

const dateOrTime = new RegExp(`^${fullDate}(?:${fullTime})?$`)

const zonedTime = new RegExp(`^${fullDate}${fullTime}(?:\\[[^\\[\\]]+\\])?$`)

/** Whether a text has the form, and a day that its month has. */
const isDate = (text: string, form: RegExp): boolean => {
  const [, year, month, day] = form.exec(text) ?? []
  if (day === undefined) return false
  // Day 0 of a month is the last one of the month before. `Date.UTC` moves the years 0 to 99, and
  // the calendar repeats after 400 years.
  return Number(day) <= new Date(Date.UTC(Number(year) + 400, Number(month), 0)).getUTCDate()
}

/** `format` is that of replies. Requests may have a date without a time in either format. */
const dateCheck = (format: "date" | "date-time"): Check =>
  Schema.makeFilter((text: string) => isDate(text, dateOrTime), {
    expected:
      "a date or date-time of RFC 3339, such as 2026-02-03, 2026-02-03T10:00:00Z or 2026-02-03T10:00:00.000+01:00",
    toJsonSchema: () => ({ format })
  })

const date = dateCheck("date-time")

const day = dateCheck("date")

const zoned = Schema.makeFilter((text: string) => isDate(text, zonedTime), {
  expected:
    "a date-time of RFC 3339 that may end with a time zone, such as 2026-02-03T10:00:00+01:00[Europe/Berlin]"
})

type Transformation = SchemaAST.Link["transformation"]

const jsonTransformation = (schema: Schema.Top): Transformation =>
  Schema.toCodecJson(schema).ast.encoding!.at(-1)!.transformation

/** The checks of the texts that a transformation decodes. */
const checks: ReadonlyMap<unknown, Check> = new Map<unknown, Check>([
  [SchemaTransformation.bigDecimalFromString, decimal],
  [SchemaTransformation.bigintFromString, bigInteger],
  [SchemaTransformation.dateFromString, date],
  [SchemaTransformation.dateTimeUtcFromString, date],
  [SchemaTransformation.dateTimeZonedFromString, zoned],
  // The schemas have transformations of their own.
  [jsonTransformation(Schema.BigDecimal), decimal],
  [jsonTransformation(Schema.DateTimeUtc), date],
  [jsonTransformation(Schema.DateTimeZoned), zoned]
])

/** Whether a transformation reads a number from a text. */
const readsNumber = ({ decode }: Transformation): boolean =>
  "transform" in decode && decode.transform === Number

/** Whether a transformation writes a date without its time, as `Model.Date` does. */
const writesDate = ({ encode }: Transformation): boolean =>
  "transform" in encode && encode.transform === DateTime.formatIsoDate

/** Effect marks what decodes a text of a media type, such as JSON. */
const contentTypeId = Symbol.for("~effect/Schema/content")

const isJson = ({ encode }: Transformation): boolean =>
  (encode as { readonly [contentTypeId]?: { readonly mediaType: string } })[contentTypeId]
    ?.mediaType === "application/json"

const isSame = ({ decode }: Transformation): boolean =>
  "_tag" in decode && decode._tag === "Passthrough"

/** Whether a check has an id, or one in its group. */
const has =
  (id: string) =>
  (check: SchemaAST.Check<never>): boolean =>
    check._tag === "FilterGroup"
      ? check.checks.some(has(id))
      : check.annotations?.representation?.id === id

const isFinite = has("effect/schema/isFinite")

const isInteger = has("effect/schema/isInt")

/** Effect's own checks of such texts. */
const replaced = [has("effect/schema/isStringBigInt"), has("effect/schema/isStringFinite")]

/** Each check as the checks of a text without others. */
const alone: ReadonlyMap<Check, SchemaAST.Checks> = new Map(
  [anyNumber, bigInteger, date, day, decimal, integer, number, zoned].map(
    (check): [Check, SchemaAST.Checks] => [check, [check]]
  )
)

const numbers: ReadonlySet<unknown> = new Set(
  [anyNumber, bigInteger, decimal, integer, number].map((check) => alone.get(check))
)

/** Whether a schema is a text that holds a number. */
export const isNumberText = (ast: SchemaAST.AST): boolean =>
  SchemaAST.isString(ast) && ast.encoding === undefined && numbers.has(ast.checks)

/** Effect's text of a number that may be infinite or NaN. */
const { types: numberTexts } = Schema.toCodecStringTree(Schema.Number).ast.encoding![0]
  .to as SchemaAST.Union

/** Adds a check to a text. */
const withCheck = (to: SchemaAST.AST, check: Check): SchemaAST.AST => {
  const text = SchemaAST.isUnion(to) && to.types === numberTexts ? SchemaAST.string : to
  if (!SchemaAST.isString(text)) return to
  const [first, ...others] = (text.checks ?? []).filter((own) => !replaced.some((is) => is(own)))
  const checks: SchemaAST.Checks =
    first === undefined ? (alone.get(check) ?? [check]) : [first, ...others, check]
  return copyNode(text, { checks, context: to.context })
}

/** The check of the text of a number. It depends on the numbers that the schema takes. */
const numberCheck = ({ checks }: SchemaAST.AST, outer: Check | undefined): Check => {
  if (outer === integer || checks?.some(isInteger)) return integer
  return outer === number || checks?.some(isFinite) ? number : anyNumber
}

const checkOf = (transformation: Transformation, forNumber: Check): Check | undefined =>
  readsNumber(transformation)
    ? forNumber
    : writesDate(transformation)
      ? day
      : checks.get(transformation)

/** Returns the text that a link decodes to `target`, with its check. */
export const textOf = ({ to, transformation }: SchemaAST.Link, target: SchemaAST.AST) => {
  const check = checkOf(transformation, numberCheck(target, undefined))
  return check === undefined ? to : withCheck(to, check)
}

/** Creates the function that makes schemas strict. `json` is the check of texts of JSON. */
export const strict = (json: Check): ((ast: SchemaAST.AST) => SchemaAST.AST) => {
  const made = new Map<Check | undefined, WeakMap<SchemaAST.AST, SchemaAST.AST>>()

  /** `outer` is the check of numbers for a schema whose value is passed on as it is. */
  const change = (ast: SchemaAST.AST, outer: Check | undefined): SchemaAST.AST => {
    const known = made.get(outer) ?? new WeakMap<SchemaAST.AST, SchemaAST.AST>()
    made.set(outer, known)
    const found = known.get(ast) ?? changed(ast, outer)
    known.set(ast, found)
    return found
  }

  const changed = (ast: SchemaAST.AST, outer: Check | undefined): SchemaAST.AST => {
    const body = recur(ast, (inner) => change(inner, undefined))
    if (ast.encoding === undefined) return body
    let target = ast
    let passed = outer
    const links = ast.encoding.map((link) => {
      const { to, transformation } = link
      const forNumber = numberCheck(target, passed)
      target = to
      passed = isSame(transformation) ? forNumber : undefined
      const inner = change(to, passed)
      const check =
        checkOf(transformation, forNumber) ?? (isJson(transformation) ? json : undefined)
      const text = check === undefined ? inner : withCheck(inner, check)
      return text === to ? link : new SchemaAST.Link(text, transformation)
    })
    const isChanged = body !== ast || links.some((link, i) => link !== ast.encoding![i])
    // As many links as before.
    return isChanged ? replaceEncoding(body, links as unknown as SchemaAST.Encoding) : ast
  }

  return (ast) => change(ast, undefined)
}
