/** Finds routes that no request can reach: paths that cannot be, and routes behind others. */
import * as FindMyWay from "effect/http/FindMyWay"
import * as RoutePath from "../../Contract/RoutePath.ts"
import type { AssemblyProblem } from "../../Plugin/Errors.ts"
import { type Claim, named } from "./Claim.ts"

/** A path that a claim takes. */
interface Place {
  /** Why the claim takes it, and what to write instead, if its own path does not show it. */
  readonly advice: string | undefined
  readonly claim: Claim
  /** Whether it is in the way of its own group only. */
  readonly isOwn: boolean
  readonly parts: ReadonlyArray<RoutePath.Part>
}

/** Returns a function that adds claims one by one, and returns the problems of each. */
export const make = (): ((claim: Claim) => ReadonlyArray<AssemblyProblem>) => {
  const taken = new Map<string, Array<Place>>()
  return (claim) => {
    const declared = RoutePath.declaredNames(claim.endpoint?.params)
    const { fault, parts } = RoutePath.parse(claim.path, declared)
    if (fault !== undefined) {
      return [
        {
          kind: "InvalidRoute",
          message: `Route ${named(claim)} has a path that cannot be routed. ${fault}.`,
          plugins: [claim.plugin]
        }
      ]
    }
    const found = new Map<Claim, AssemblyProblem>()
    for (const place of placesOf(claim, parts)) {
      const shape = shapeOf(place.parts)
      const others = taken.get(shape) ?? []
      for (const other of others) {
        if (!found.has(other.claim) && meet(place, other)) {
          found.set(other.claim, conflict(place, other))
        }
      }
      taken.set(shape, [...others, place])
    }
    return [...found.values()]
  }
}

const conflict = (place: Place, other: Place): AssemblyProblem => ({
  kind: "RouteConflict",
  message: `Route ${named(place.claim)} takes the same requests as ${named(other.claim)}. ${place.advice ?? other.advice ?? adviceOn(place, other)}`,
  plugins: [other.claim.plugin, place.claim.plugin]
})

const adviceOn = (place: Place, other: Place): string => {
  if (place.claim.method !== other.claim.method) {
    return "The method * is every method: write the methods that the route has to take, or change one of the paths."
  }
  return patternsOf(place) === patternsOf(other)
    ? "Change one of the paths, or give one group a prefix."
    : "The router has one pattern for a place: write other text beside one of the parameters, or handle both in one route."
}

const patternsOf = ({ parts }: Place): string =>
  parts.flatMap((part) => (RoutePath.isParameter(part) ? [part.pattern] : [])).join()

/** Returns the paths that a claim takes. */
const placesOf = (claim: Claim, parts: ReadonlyArray<RoutePath.Part>): ReadonlyArray<Place> => {
  const place: Place = { advice: undefined, claim, isOwn: false, parts }
  const { endpoint, method, path } = claim
  const without = RoutePath.withoutOptional(parts)
  if (without !== undefined) {
    const advice = `${path} takes the path without its parameter as well: leave out the ?, or one of the routes.`
    return [place, { ...place, advice, parts: without }]
  }
  const isOwn = method !== "*"
  if (!path.endsWith("/*") || (isOwn && (endpoint !== undefined || path === "/*"))) return [place]
  const instead = isOwn
    ? "handle both in one route"
    : "write the methods that the route has to take"
  const advice = `${method} ${path} takes the path without /* as well: change one of the paths, or ${instead}.`
  const root = RoutePath.parse(path.slice(0, -2) || "/", RoutePath.declaredNames(endpoint?.params))
  return [place, { ...place, advice, isOwn, parts: root.parts }]
}

const meet = (a: Place, b: Place): boolean =>
  a.claim !== b.claim &&
  (takesMethod(a.claim, b.claim) || takesMethod(b.claim, a.claim)) &&
  (!(a.isOwn || b.isOwn) || (a.claim.group === b.claim.group && a.claim.plugin === b.claim.plugin))

const everyMethod = FindMyWay.make<boolean>()
everyMethod.all("/", true)

const takesMethod = (a: Claim, { method }: Claim): boolean =>
  a.method === method || (a.method === "*" && everyMethod.find(method, "/") !== undefined)

/** The patterns that take every segment, as a parameter without a pattern does. */
const everything = /^\(\^?(?:\.|\[\^\/\])[*+]\??\$?\)$/

/**
 * Returns the shape of a path. The router does not tell paths of one shape apart: it ignores the
 * names of parameters, and of two patterns at one place it takes the first.
 */
const shapeOf = (parts: ReadonlyArray<RoutePath.Part>): string => {
  const shape = parts.map((part, at) => {
    if (typeof part === "string") return part
    if (part === RoutePath.wildcard) return "\0*"
    const [before, next] = [parts[at - 1], parts[at + 1]]
    const isAlone =
      (part.pattern === undefined || everything.test(part.pattern)) &&
      (next === undefined || (typeof next === "string" && next.startsWith("/"))) &&
      !(typeof before === "string" && before.indexOf("/") === -1 && at > 1)
    return isAlone ? "\0:" : "\0()"
  })
  return shape.join("")
}
