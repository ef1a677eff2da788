/** The names of a generated feature, in every form that its files use. */
import * as Result from "effect/Result"
import * as String from "effect/String"
import * as Singular from "./Singular.ts"

/** A name in several forms. */
export interface Name {
  /** `orderItems` */
  readonly camel: string
  /** `order-items` */
  readonly kebab: string
  /** `OrderItems` */
  readonly pascal: string
  /** `order_items` */
  readonly snake: string
  /** `order items` */
  readonly words: string
}

/** The names of a feature: `orders` and `order`. */
export interface Names {
  readonly plural: Name
  readonly singular: Name
}

/** The most letters of a name, so that the lines with it are not too long. */
const longest = 24

/** Returns the words of `order-items`, `order_items`, `orderItems` or `OrderItems`, in lower case. */
const wordsOf = (text: string): ReadonlyArray<string> =>
  text
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replaceAll(/([A-Z])([A-Z][a-z])/g, "$1-$2")
    .toLowerCase()
    .split(/[-_]/)

const nameOf = (words: ReadonlyArray<string>): Name => {
  const pascal = words.map(String.capitalize).join("")
  return {
    camel: String.uncapitalize(pascal),
    kebab: words.join("-"),
    pascal,
    snake: words.join("_"),
    words: words.join(" ")
  }
}

/** Reads a name. Fails with a sentence if it is not one. */
export const name = (text: string): Result.Result<Name, string> => {
  const words = wordsOf(text)
  if (!words.every((word) => /^[a-z][a-z0-9]*$/.test(word))) {
    return Result.fail(
      `"${text}" is not a name. Write words of the letters a to z and digits, such as orders or order-items`
    )
  }
  const letters = words.join("").length
  return letters > longest
    ? Result.fail(`"${text}" has ${letters} letters. Write a name of at most ${longest}`)
    : Result.succeed(nameOf(words))
}

/** The names that the generated files declare or use, and the words of JavaScript. */
const taken: ReadonlySet<string> = new Set(
  `ApiError App app Array Authentication BigDecimal BooleanColumn changed changes Client Context
Created created createdAt Database Date DateColumn DateTime draft Effect Exclude expect found
handlers HttpApi HttpApiEndpoint HttpApiGroup HttpApiSchema id invalid it Layer layer Map missing
migrations MockAuth Object Option orNotFound Pagination params payload Plugin Present present query random
read Route Schema SchemaGetter SecureRandom page set sql SqlClient SqlError start TestApp URL
arguments await break case catch class const continue debugger default delete do else enum eval
export extends false finally for function if implements import in instanceof interface let new
null package private protected public return static super switch this throw true try typeof
undefined var void while with yield`.split(/\s+/)
)

const clashOf = ({ kebab }: Name, clash: string): Result.Result<never, string> =>
  Result.fail(
    `"${kebab}" makes the name ${clash}, which the project or the generated code uses for something else. Write another name, such as shop-${kebab}`
  )

/** Reads the name of a class. Fails with a sentence if it is not one, or if it is taken. */
export const declared = (text: string): Result.Result<Name, string> =>
  Result.flatMap(name(text), (found) =>
    taken.has(found.pascal) ? clashOf(found, found.pascal) : Result.succeed(found)
  )

/** Reads the plural name of a feature and its singular. Fails with a sentence if they are unclear. */
export const names = (text: string, singular?: string): Result.Result<Names, string> =>
  Result.gen(function* () {
    const plural = yield* name(text)
    const last = plural.kebab.split("-").at(-1)!
    const one = singular ?? Singular.of(last)
    if (one === undefined) {
      return yield* Result.fail(
        `"${text}" has no singular that is certain. Write a plural such as orders, or name the singular: --singular order`
      )
    }
    const single = yield* singular === undefined
      ? Result.succeed(nameOf([...plural.kebab.split("-").slice(0, -1), one]))
      : name(singular)
    const clash = [plural.camel, single.pascal].find(
      (each) =>
        taken.has(each) ||
        ["Api", "Plugin", "Repo", "Routes"].includes(each.replace(plural.pascal, ""))
    )
    if (clash !== undefined) return yield* clashOf(plural, clash)
    return { plural, singular: single }
  })
