/** The differences between two schemas, for those who send the values and those who read them. */
import { at, type Compare, kindOf, type Part, type Place, subject } from "./Change.ts"
import * as ObjectChanges from "./ObjectChanges.ts"
import * as Rules from "./Rules.ts"
import { type Json, listOf, parted, textOf, type Variants, variantsOf } from "./Schemas.ts"
import * as Unions from "./Unions.ts"

/** Returns the function that compares schemas of two documents. */
export const make = (before: Json, after: Json): Compare => {
  // A recursive schema leads back to a pair that is being compared.
  const active = new Set<string>()

  const compare: Compare = (old, now, place) => {
    const texts = [textOf(old), textOf(now)] as const
    if (texts[0] === texts[1] && !texts[0].includes('"$ref"')) return []
    const key = [place.side, place.errorStatus, ...texts].join("\n")
    if (active.has(key)) return []
    active.add(key)
    const found = variants(variantsOf(before, old), variantsOf(after, now), place)
    active.delete(key)
    return found
  }

  const variants = (old: Variants, now: Variants, place: Place): ReadonlyArray<Part> => {
    const words = Rules.words(old.words, now.words, place)
    const [oldOnly] = old.schemas
    const [nowOnly] = now.schemas
    const isSimple = old.schemas.length <= 1 && now.schemas.length <= 1
    if (oldOnly !== undefined && nowOnly !== undefined && isSimple && !Unions.isError(place)) {
      return [...words, ...Unions.literals(old, now, place), ...schema(oldOnly, nowOnly, place)]
    }
    if (old.schemas.length > 0 !== now.schemas.length > 0) {
      return [...words, ...Unions.opened(old, now, place)]
    }
    const { added, pairs, removed } = Unions.matched([before, old], [after, now], place, (a, b) =>
      schema(a, b, place).filter(({ kind }) => kind !== "documentation")
    )
    return [
      ...words,
      ...Unions.literals(old, now, place),
      ...added.map((one) => Unions.added(one, place)),
      ...removed.map((one) => Unions.removed(one, place)),
      ...pairs.flatMap(([a, b]) => schema(a, b, place))
    ]
  }

  /** Compares two schemas that are no unions and have no literals. */
  const schema = (old: Json, now: Json, place: Place): ReadonlyArray<Part> => {
    const [a, b] = [parted(old), parted(now)]
    const words = Rules.words(a.words, b.words, place)
    if (old["type"] !== now["type"]) return [...words, Rules.type(old, now, place)]
    const own = [...words, ...Rules.of(a.rules, b.rules, place)]
    switch (old["type"]) {
      case "array":
        return [...own, ...array(old, now, place)]
      case "object":
        return [...own, ...ObjectChanges.of(old, now, place, compare)]
      default:
        return own
    }
  }

  const array = (old: Json, now: Json, place: Place): ReadonlyArray<Part> => {
    const [a, b] = [listOf(old["prefixItems"]), listOf(now["prefixItems"])]
    const length =
      a.length === b.length
        ? []
        : [
            {
              kind: kindOf(place, "different"),
              text: `${subject(place)} has ${b.length} elements of its own kind now, and had ${a.length}.`
            }
          ]
    return [
      ...length,
      ...a.flatMap((one, i) => (i in b ? compare(one, b[i], at(place, `[${i}]`)) : [])),
      ...compare(old["items"] ?? {}, now["items"] ?? {}, at(place, "[]"))
    ]
  }

  return compare
}
