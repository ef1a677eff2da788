/** From a request on the wire to the compiled lane. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as HttpMethod from "effect/http/HttpMethod"
import type { Compiled } from "./Codec/CompiledLane.ts"
import { LaneExchange, type Shared } from "./Exchange/Exchange.ts"
import type { Dispatch } from "./Exchange/Wire.ts"
import type { RouteTable } from "./Route/Table.ts"

/** Answers the requests of compiled rows; all others are for the general lane. */
export const make =
  (table: RouteTable<unknown, Compiled>, shared: Shared): Dispatch =>
  (wire, references) => {
    // What takes the coding off a body is the general lane's.
    if (HttpMethod.hasBody(wire.method) && wire.header("content-encoding") !== undefined)
      return false
    const found = table.find(wire.method, wire.target)
    if (found._tag !== "Found" || found.entry.compiled === undefined) return false
    const own = references === undefined ? shared : withReferences(shared, references)
    const { plan, run } = found.entry.compiled
    run(new LaneExchange(own, wire, plan, found.params, found.searchParams))
    return true
  }

const withReferences = (shared: Shared, references: Context.Context<never>): Shared => {
  const context = Context.merge(shared.context, references)
  return { ...shared, ...clocksOf(context), context }
}

/** The app's clock: a test's, where it runs on one. */
export const clocksOf = (services: Context.Context<unknown>): Pick<Shared, "elapsed" | "now"> => {
  const clock = Context.getOrUndefined(services as Context.Context<Clock.Clock>, Clock.Clock)
  return clock === undefined
    ? { elapsed: () => performance.now(), now: () => Date.now() }
    : {
        elapsed: () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
        now: () => clock.currentTimeMillisUnsafe()
      }
}
