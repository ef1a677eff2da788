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

/** The most letters of a name, so that the lines with it are not too long. */
const longest = 30

/** The fields that every feature has, and the names that every object has. */
const reserved = (name: string): string | undefined => {
  if (["created_at", "createdat", "id"].includes(name.toLowerCase())) {
    return `"${name}" is a field that every feature has. Leave it out`
  }
  return name in {}
    ? `"${name}" is a property of every object of JavaScript. Write another name, such as ${name}Value`
    : undefined
}

const nameProblem = (name: string): string | undefined => {
  const known = reserved(name)
  if (known !== undefined) return known
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
    : undefined
}

const enumType = (name: string, list: string): Result.Result<FieldType, string> => {
  const values = list.split("|").map((value) => value.trim())
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

const field = (text: string): Result.Result<Field, ReadonlyArray<string>> => {
  const colon = text.indexOf(":")
  const name = (colon === -1 ? text : text.slice(0, colon)).trim()
  if (text.trim() === "") {
    return Result.fail(["Nothing stands between two commas. Leave one of them out"])
  }
  const type = colon === -1 ? "" : text.slice(colon + 1).trim()
  const isOptional = type.endsWith("?")
  const bare = (isOptional ? type.slice(0, -1) : type).trim()
  const read =
    bare === ""
      ? Result.fail(`"${name}" has no type. Write for example ${name}:string`)
      : typeOf(name, bare)
  const problems = [
    ...[nameProblem(name)].filter((problem) => problem !== undefined),
    ...(Result.isFailure(read) ? [read.failure] : [])
  ]
  return Result.isSuccess(read) && problems.length === 0
    ? Result.succeed({ column: String.camelToSnake(name), isOptional, name, type: read.success })
    : Result.fail(problems)
}

/**
 * Reads fields such as `customer:string, total:int?, state:enum(open|paid)`. Fails with a sentence
 * for each problem.
 */
export const parse = (text: string): Result.Result<ReadonlyArray<Field>, ReadonlyArray<string>> => {
  if (text.trim() === "") return Result.fail(["There are no fields. Write for example name:string"])
  const parts = text.trim().replace(/,$/, "").split(",")
  const read = parts.map(field)
  const fields = read.flatMap((each) => (Result.isSuccess(each) ? [each.success] : []))
  const names = fields.map(({ column }) => column)
  const twice = new Set(names.filter((name, at) => names.indexOf(name) < at))
  const problems = [
    ...read.flatMap((each) => (Result.isFailure(each) ? each.failure : [])),
    ...[...twice].map(
      (column) =>
        `"${fields.find((each) => each.column === column)!.name}" is there twice. Leave one of them out`
    ),
    ...(parts.length > most
      ? [
          `There are ${parts.length} fields. Write at most ${most}, and move the others to another feature`
        ]
      : [])
  ]
  return problems.length === 0 ? Result.succeed(fields) : Result.fail(problems)
}
