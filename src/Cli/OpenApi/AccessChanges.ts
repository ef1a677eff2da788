/** The differences in who may call an operation. */
import type { Part } from "./Change.ts"
import { type Json, listOf, objectOf, textOf } from "./Schemas.ts"

/** A way to be let in: schemes that a caller needs together, each with its scopes. */
type Way = Readonly<Record<string, ReadonlyArray<string>>>

/** Returns the ways into an operation. One without schemes admits everybody. */
const waysOf = (
  document: Json,
  operation: Json,
  names: ReadonlyMap<string, string> = new Map()
): ReadonlyArray<Way> => {
  const ways = listOf(operation["security"] ?? document["security"]).map((way) =>
    Object.fromEntries(
      Object.entries(objectOf(way)).map(([scheme, scopes]) => [
        names.get(scheme) ?? scheme,
        listOf(scopes).map(String)
      ])
    )
  )
  return ways.length === 0 ? [{}] : ways
}

/** Whether whoever comes by a way is let in by another way too. */
const leadsTo = (way: Way, other: Way): boolean =>
  Object.entries(other).every(
    ([scheme, scopes]) =>
      Object.hasOwn(way, scheme) && scopes.every((scope) => way[scheme]!.includes(scope))
  )

/** Returns ways in words: those with the same scopes together. */
const asked = (ways: ReadonlyArray<Way>): string => {
  const groups = Map.groupBy(ways, (way) =>
    [...new Set(Object.values(way).flat())].sort().join(" and ")
  )
  return [...groups]
    .map(([scopes, same]) => {
      const schemes = same.map((way) => Object.keys(way).join(" and ")).join(" or ")
      return scopes === "" ? schemes : `${schemes} with the scope ${scopes}`
    })
    .join(", or ")
}

const isOpen = (ways: ReadonlyArray<Way>): boolean =>
  ways.some((way) => Object.keys(way).length === 0)

/** Returns the differences in the ways into an operation. */
export const of = (
  [before, old]: readonly [document: Json, operation: Json],
  [after, now]: readonly [document: Json, operation: Json]
): ReadonlyArray<Part> => {
  const [oldWays, nowWays] = [waysOf(before, old), waysOf(after, now, renamed(before, after))]
  if (isOpen(nowWays)) {
    return isOpen(oldWays)
      ? []
      : [
          {
            kind: "compatible",
            text: `lets in callers without credentials now. It asked for ${asked(oldWays)}.`,
            weaker: true
          }
        ]
  }
  if (isOpen(oldWays)) {
    return [
      {
        kind: "breaking",
        text: `asks for ${asked(nowWays)} now: clients without credentials get 401.`
      }
    ]
  }
  const shut = oldWays.filter((way) => !nowWays.some((other) => leadsTo(way, other)))
  const opened = nowWays.filter((way) => !oldWays.some((other) => leadsTo(way, other)))
  const widened = opened.filter((way) => !shut.some((other) => leadsTo(way, other)))
  return [
    ...(shut.length === 0
      ? []
      : [
          {
            kind: "breaking" as const,
            text: `no longer lets in callers by ${asked(shut)}. It asks for ${asked(nowWays)}.`
          }
        ]),
    ...(widened.length === 0
      ? []
      : [
          {
            kind: "compatible" as const,
            text: `lets in callers by ${asked(widened)} now. It asked for ${asked(oldWays)}.`,
            weaker: true as const
          }
        ])
  ]
}

const schemesOf = (document: Json): Json =>
  objectOf(objectOf(document["components"])["securitySchemes"])

/** Returns what a scheme asks of clients. */
const rulesOf = (scheme: unknown): string => {
  const { bearerFormat: _, description: __, ...rules } = objectOf(scheme)
  return textOf(rules)
}

/** Returns the old names of schemes that have nothing but another name, by their new names. */
const renamed = (before: Json, after: Json): ReadonlyMap<string, string> => {
  const [old, now] = [schemesOf(before), schemesOf(after)]
  const gone = Object.keys(old).filter((name) => !Object.hasOwn(now, name))
  return new Map(
    Object.entries(now)
      .filter(([name]) => !Object.hasOwn(old, name))
      .flatMap(([name, scheme]) => {
        const same = gone.find((other) => rulesOf(old[other]) === rulesOf(scheme))
        return same === undefined ? [] : [[name, same] as const]
      })
  )
}

/** Returns the differences between the schemes that both documents have. */
export const ofSchemes = (before: Json, after: Json): ReadonlyArray<Part> => {
  const now = schemesOf(after)
  return Object.entries(schemesOf(before)).flatMap(([name, scheme]): ReadonlyArray<Part> => {
    const same = now[name]
    if (same === undefined || textOf(scheme) === textOf(same)) return []
    const [old, is] = [rulesOf(scheme), rulesOf(same)]
    return [
      old === is
        ? { kind: "documentation", text: `The scheme ${name} is described in other words.` }
        : {
            kind: "breaking",
            text: `The scheme ${name} is ${is} now, and was ${old}: clients that authenticate by it get 401.`
          }
    ]
  })
}
