/** Finds rate limits of contracts that no store can apply. */
import * as Duration from "effect/Duration"
import type { AssemblyProblem } from "../../Plugin/Errors.ts"
import type * as PluginCheck from "../../Plugin/PluginCheck.ts"
import { named } from "../../Server/Route/Claim.ts"
import * as Declared from "../../Server/Route/Declared.ts"
import * as Key from "./Key.ts"
import * as Limit from "./Limit.ts"
import { maxWindow } from "./RateLimitConfig.ts"

/** Returns the problems of all limits and extractors. */
export const check: PluginCheck.Check = ({ plugins }) => {
  const extractors = plugins.flatMap(({ id, manifest }) =>
    manifest.contributions
      .filter(({ kind }) => kind === Key.kind.name)
      .map(({ name }) => ({ id, name }))
  )
  const known = [...Key.builtIn, ...new Set(extractors.map(({ name }) => name))]
  return [
    ...known.flatMap((name): ReadonlyArray<AssemblyProblem> => {
      const owners = extractors.filter((one) => one.name === name).map(({ id }) => id)
      return owners.length < 2
        ? []
        : [
            problem(
              `The extractor "${name}" of rate limit keys is contributed by ${owners.join(" and ")}. Give one of them another name.`,
              owners
            )
          ]
    }),
    ...checkNames(plugins),
    ...Declared.groupsOf(plugins).flatMap(({ access, contract, endpoints }) =>
      endpoints.flatMap((claim): ReadonlyArray<AssemblyProblem> => {
        const route = { access, contract, endpoint: claim.endpoint, group: claim.group }
        const advice =
          access.type === "bare" ? adviceOnBare(route) : adviceOn(Limit.declared(route), known)
        return advice === undefined ? [] : [problem(`${named(claim)} ${advice}`, [claim.plugin])]
      })
    )
  ]
}

const problem = (message: string, plugins: ReadonlyArray<string>): AssemblyProblem => ({
  kind: "InvalidRateLimit",
  message,
  plugins
})

/** Returns the problems of limits that have one name, and so one count, and are not the same. */
const checkNames = (plugins: Parameters<PluginCheck.Check>[0]["plugins"]) => {
  const known = new Map<string, { readonly claim: Declared.Declared; readonly policy: string }>()
  return Declared.groupsOf(plugins).flatMap(({ access, contract, endpoints }) =>
    endpoints.flatMap((claim): ReadonlyArray<AssemblyProblem> => {
      const { endpoint, group, plugin } = claim
      const limits = Limit.declared({ access, contract, endpoint, group })
      return limits.flatMap((limit): ReadonlyArray<AssemblyProblem> => {
        const { by, name } = limit
        const policy = JSON.stringify([by, Limit.describe(limit).policy])
        const other = known.get(name)
        if (other === undefined) known.set(name, { claim, policy })
        if (other === undefined || other.policy === policy) return []
        const message = `${named(claim)} has a rate limit with the name "${name}", and ${named(other.claim)} has another one: they would share one count. Give one of the policies another \`name\`, or rename its group.`
        return [problem(message, [...new Set([other.claim.plugin, plugin])])]
      })
    })
  )
}

const adviceOnBare = (route: Parameters<typeof Limit.annotated>[0]): string | undefined => {
  const found = Limit.annotated(route)
  return found === undefined || found.policy === "unlimited"
    ? undefined
    : "has RatePolicy in a group of Route.bare, which has no middleware. Write Route.public, or remove the annotation."
}

const adviceOn = (
  limits: ReadonlyArray<Limit.Declared>,
  known: ReadonlyArray<string>
): string | undefined => {
  const names = limits.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) {
    return `has two rate limits with the name "${twice}". Give each policy of the list a \`name\` of its own.`
  }
  return limits.map((limit) => adviceOnOne(limit, known)).find((advice) => advice !== undefined)
}

const adviceOnOne = (
  { by, cost, name, policy }: Limit.Declared,
  known: ReadonlyArray<string>
): string | undefined => {
  if (!isCount(cost)) {
    return `has RateCost ${cost}, and a cost is a whole number from 1. Correct it, or exempt the endpoint with RatePolicy "unlimited".`
  }
  if (policy === undefined) return undefined
  const { algorithm = "token-bucket", burst, limit, window } = policy
  const capacity = burst ?? limit
  const millis = Duration.toMillis(window)
  const what = `has the rate limit "${name}" of ${limit} requests in ${millis} ms`
  if (!isCount(limit) || !isCount(capacity)) {
    return `${what} with a burst of ${capacity}, and limit and burst are whole numbers from 1. Correct its RatePolicy.`
  }
  if (!(millis >= 1 && millis <= Duration.toMillis(maxWindow))) {
    return `${what}, and a window is from 1 millisecond to 366 days. Correct its RatePolicy.`
  }
  if (algorithm === "sliding-window" && burst !== undefined) {
    return `${what} in a sliding window with a burst of ${burst}, and only a token bucket has one. Remove \`burst\`, or write algorithm: "token-bucket".`
  }
  if (cost > capacity) {
    return `${what} and RateCost ${cost}, so that no request could ever pass: at most ${capacity} are possible at once. Lower the cost, or raise \`${burst === undefined ? "limit" : "burst"}\`.`
  }
  return known.includes(by)
    ? undefined
    : `${what} by "${by}", for which no plugin has an extractor. Write one of ${known.join(", ")}, or contribute RateLimit.key("${by}", ...).`
}

const isCount = (n: number) => Number.isSafeInteger(n) && n > 0
