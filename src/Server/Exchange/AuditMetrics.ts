/** Counts the decisions about callers. */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as Metering from "../../Plugin/Metering.ts"
import type { Incoming } from "./Before.ts"

/** The functions that count the outcomes of one chain. */
interface Counts {
  readonly anonymous: () => void
  readonly denied: () => void
  readonly error: () => void
  readonly success: () => void
}

/** The series of each registry, by chain. */
const known = new WeakMap<object, Map<string, Counts>>()

const make = (registry: Metric.MetricRegistry, chain: string): Counts => {
  const counter = Metering.counter(
    Context.make(Metric.MetricRegistry, registry),
    "flange.auth.decisions",
    "Decisions about callers, of authentication chains and of guards"
  )
  const countOf = (outcome: keyof Counts) =>
    counter({ "flange.auth.chain": chain, "flange.auth.outcome": outcome })
  return {
    anonymous: countOf("anonymous"),
    denied: countOf("denied"),
    error: countOf("error"),
    success: countOf("success")
  }
}

/** Counts a decision about the caller of a request, if the app keeps metrics. */
export const count = (
  request: Pick<Incoming, "find">,
  chain: string,
  outcome: keyof Counts
): void => {
  const registry = request.find(Metric.MetricRegistry)
  if (registry === undefined) return
  let chains = known.get(registry)
  if (chains === undefined) known.set(registry, (chains = new Map()))
  let counts = chains.get(chain)
  if (counts === undefined) chains.set(chain, (counts = make(registry, chain)))
  counts[outcome]()
}
