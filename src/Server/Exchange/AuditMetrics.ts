/** Counts the decisions about callers. */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as Metering from "../../Plugin/Metering.ts"
import type { Incoming } from "./Before.ts"

/** The series of each registry, by chain and outcome. */
const known = new WeakMap<object, Map<string, () => void>>()

/** Counts a decision about the caller of a request, if the app keeps metrics. */
export const count = (request: Pick<Incoming, "find">, chain: string, outcome: string): void => {
  const registry = request.find(Metric.MetricRegistry)
  if (registry === undefined) return
  let series = known.get(registry)
  if (series === undefined) known.set(registry, (series = new Map()))
  const key = `${chain} ${outcome}`
  let add = series.get(key)
  if (add === undefined) {
    add = Metering.counter(
      Context.make(Metric.MetricRegistry, registry),
      "flange.auth.decisions",
      "Decisions about callers, of authentication chains and of guards"
    )({ "flange.auth.chain": chain, "flange.auth.outcome": outcome })
    series.set(key, add)
  }
  add()
}
