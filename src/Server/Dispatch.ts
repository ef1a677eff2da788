/** From a request on the wire to the compiled lane. */
import * as HttpMethod from "effect/http/HttpMethod"
import type { Compiled } from "./CompiledLane.ts"
import { LaneExchange, type Shared } from "./LaneExchange.ts"
import type { RouteTable } from "./RouteTable.ts"
import type { Dispatch } from "./Wire.ts"

/** Answers the requests of compiled rows; all others are for the general lane. */
export const make =
  (table: RouteTable<unknown, Compiled>, shared: Shared): Dispatch =>
  (wire, references) => {
    // What takes the coding off a body is the general lane's.
    if (HttpMethod.hasBody(wire.method) && wire.header("content-encoding") !== undefined)
      return false
    const found = table.find(wire.method, wire.target)
    if (found._tag !== "Found" || found.entry.compiled === undefined) return false
    const own =
      references === undefined
        ? shared
        : { ...shared, services: new Map([...shared.services, ...references.mapUnsafe]) }
    const { plan, run } = found.entry.compiled
    run(new LaneExchange(own, wire, plan, found.params, found.searchParams))
    return true
  }
