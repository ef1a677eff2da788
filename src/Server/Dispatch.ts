/** From a request on the wire to the compiled lane. */
import type { Compiled } from "./CompiledLane.ts"
import { LaneExchange, type Shared } from "./LaneExchange.ts"
import type { RouteTable } from "./RouteTable.ts"
import type { Dispatch } from "./Wire.ts"

/** Answers the requests of compiled rows; all others are for the general lane. */
export const make =
  (table: RouteTable<unknown, Compiled>, shared: Shared): Dispatch =>
  (wire) => {
    const found = table.find(wire.method, wire.target)
    if (found._tag !== "Found" || found.entry.compiled === undefined) return false
    found.entry.compiled(
      new LaneExchange(shared, wire, found.entry.info, found.params, found.searchParams)
    )
    return true
  }
