/** The time limits of routes. */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { GatewayTimeout } from "../../Contract/Catalogue.ts"
import { IdleTimeout, Timeout } from "../../Contract/Timeout.ts"
import type { AssemblyProblem } from "../../Plugin/Errors.ts"
import * as Metering from "../../Plugin/Metering.ts"
import type * as PluginCheck from "../../Plugin/PluginCheck.ts"
import * as Annotation from "../../Server/Route/Annotation.ts"
import { named } from "../../Server/Route/Claim.ts"
import * as Declared from "../../Server/Route/Declared.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import { TimeoutConfig } from "./TimeoutConfig.ts"

/** Returns the limit of the first contract that has one, in milliseconds. */
export const declared = <I>(
  key: Context.Key<I, Duration.Input>,
  contracts: ReadonlyArray<Annotation.Annotated>
): number | undefined => {
  const limit = Annotation.nearest(key, ...contracts)
  return limit === undefined ? undefined : Duration.toMillis(limit)
}

/** Returns the problems of annotations that are no limit. */
export const check: PluginCheck.Check = ({ plugins }) =>
  Declared.groupsOf(plugins).flatMap(({ contract, endpoints }) =>
    endpoints.flatMap((claim) => {
      const contracts = [claim.endpoint, contract]
      const limits = {
        IdleTimeout: declared(IdleTimeout, contracts),
        Timeout: declared(Timeout, contracts)
      }
      return Object.entries(limits).flatMap(([name, limit]): ReadonlyArray<AssemblyProblem> => {
        if (limit === undefined || limit > 0) return []
        const message = `${named(claim)} has ${name} ${limit} ms. Use a duration above zero, or Duration.infinity to lift the limit.`
        return [{ kind: "InvalidTimeLimit", message, plugins: [claim.plugin] }]
      })
    })
  )

/** Limits the time of each route, and counts what exceeds a limit. */
export const limits = Middleware.timeLimit("time-limit", {
  build: Effect.gen(function* () {
    const config = yield* TimeoutConfig
    const counter = Metering.counter(
      yield* Effect.context<never>(),
      "flange.timeout.exceeded",
      "Requests and streamed replies that exceeded their time limit"
    )
    const counts = new Map<string, () => void>()
    const exceeded = (activity: string): void => {
      let count = counts.get(activity)
      if (count === undefined) {
        counts.set(activity, (count = counter({ "flange.timeout.activity": activity })))
      }
      count()
    }
    return (route: Middleware.RouteInfo) => {
      const contracts = [route.endpoint, route.contract]
      const idle = declared(IdleTimeout, contracts) ?? Duration.toMillis(config.idle)
      const limit = declared(Timeout, contracts) ?? Duration.toMillis(config.default)
      return {
        exceeded,
        idle,
        limit
      }
    }
  }),
  describe: ({ contract, endpoint }) => {
    const limit = declared(Timeout, [endpoint, contract])
    return {
      errors: [GatewayTimeout],
      // Infinity is no JSON, and means the same as nothing.
      timeout: limit === Infinity ? undefined : limit
    }
  }
})
