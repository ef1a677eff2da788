/** The fields of a feature: reads `customer:string, total:int?`. */
import * as Result from "effect/Result"
import * as String from "effect/String"
import { nearest } from "../../Config/Nearest.ts"
import { enumOf, type FieldType, plainTypes, typeNames } from "./FieldTypes.ts"

/** A field that callers set. */
export interface Field {
  /** The name of its column. */
  readonly column: string
  readonly isOptional: boolean
  readonly name: string
  readonly type: FieldType
}

/** A table of MySQL has at most 65 535 bytes in a row. */
const most = 60

const mostValues = 100

/** The most letters of a name, so that the lines with it are not too long. */
const longest = 30

/** The fields that every feature has, and the names that every object has. */
const reserved = (name: string): string | undefined => {
  if (name === "createdAt" || name === "id") {
    return `"${name}" is a field that every feature has. Leave it out`
  }
  return name in {}
    ? `"${name}" is a property of every object of JavaScript. Write another name, such as ${name}Value`
    : undefined
}

const nameProblem = (name: string): string | undefined => {
  if (!/^[a-z][A-Za-z0-9]*$/.test(name)) {
    const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== "")
    const camel = words
      .map((word, at) => (at === 0 ? String.uncapitalize(word) : String.capitalize(word)))
      .join("")
    const advice = /^[a-z]/.test(camel) ? `Write ${camel}` : "Write a name such as customerName"
    return `"${name}" is not the name of a field, which has letters from a to z and digits and begins with a small letter. ${advice}`
  }
  return name.length > longest
    ? `"${name}" has ${name.length} letters. Write a name of at most ${longest}`
    : reserved(name)
}

const enumType = (name: string, list: string): Result.Result<FieldType, string> => {
  const values = list.split("|").map((value) => value.trim())
  if (values.length > mostValues) {
    return Result.fail(
      `The enum "${name}" has ${values.length} values. Write at most ${mostValues}, or use string`
    )
  }
  const wrong = values.find((value) => !/^[A-Za-z0-9][\w-]{0,49}$/.test(value))
  if (wrong !== undefined) {
    return Result.fail(
      `"${wrong}" is not a value of the enum "${name}". Write letters, digits, - and _, at most 50 of them: ${name}:enum(open|paid)`
    )
  }
  const twice = values.find((value, at) => values.indexOf(value) < at)
  return twice === undefined
    ? Result.succeed(enumOf(values))
    : Result.fail(`The enum "${name}" has the value "${twice}" twice. Leave one of them out`)
}

const typeOf = (name: string, text: string): Result.Result<FieldType, string> => {
  const list = /^enum\s*\(([^]*)\)$/.exec(text)?.[1]
  if (list !== undefined) return enumType(name, list)
  if (Object.hasOwn(plainTypes, text)) return Result.succeed(plainTypes[text]!)
  if (text === "enum") {
    return Result.fail(`The enum "${name}" has no values. Write them: ${name}:enum(open|paid)`)
  }
  const near = nearest(text, typeNames)
  const advice =
    near === undefined ? `The types are: ${typeNames.join(", ")}` : `Did you mean "${near}"?`
  return Result.fail(`"${text}" is not a type of fields (${name}). ${advice}`)
}

/** A field as it is written. */
interface Written {
  readonly name: string
  readonly type: string
}

const written = (text: string): Written => {
  const colon = text.indexOf(":")
  return colon === -1
    ? { name: text.trim(), type: "" }
    : { name: text.slice(0, colon).trim(), type: text.slice(colon + 1).trim() }
}

const field = ({ name, type: text }: Written): Result.Result<Field, ReadonlyArray<string>> => {
  if (name === "") {
    return Result.fail([
      text === ""
        ? "Nothing stands between two commas. Leave one of them out"
        : `":${text}" has no name. Write for example customer:${text}`
    ])
  }
  const isOptional = text.endsWith("?")
  const bare = (isOptional ? text.slice(0, -1) : text).trim()
  const type =
    bare === ""
      ? Result.fail(`"${name}" has no type. Write for example ${name}:string`)
      : typeOf(name, bare)
  const problem = nameProblem(name)
  return Result.isSuccess(type) && problem === undefined
    ? Result.succeed({ column: String.camelToSnake(name), isOptional, name, type: type.success })
    : Result.fail([
        ...(problem === undefined ? [] : [problem]),
        ...(Result.isFailure(type) ? [type.failure] : [])
      ])
}

/**
 * Reads fields such as `customer:string, total:int?, state:enum(open|paid)`. Fails with a sentence
 * for each problem.
 */
export const parse = (text: string): Result.Result<ReadonlyArray<Field>, ReadonlyArray<string>> => {
  if (text.trim() === "") return Result.fail(["There are no fields. Write for example name:string"])
  const all = text.trim().replace(/,$/, "").split(",").map(written)
  if (all.length > most) {
    return Result.fail([
      `There are ${all.length} fields. Write at most ${most}, and move the others to another feature`
    ])
  }
  const names = all.map(({ name }) => name)
  const twice = new Set(names.filter((name, at) => name !== "" && names.indexOf(name) < at))
  const read = all.map(field)
  const problems = [
    ...read.flatMap((each) => (Result.isFailure(each) ? each.failure : [])),
    ...[...twice].map((name) => `"${name}" is there twice. Leave one of them out`)
  ]
  return problems.length === 0
    ? Result.succeed(read.filter(Result.isSuccess).map(({ success }) => success))
    : Result.fail(problems)
}
