/** Stands in the place of `src/Server/Defaults.ts` in a run for another combination. */
import * as combination from "./combination.ts"

/** The codec that this run is for. */
export const codec = combination.codec

/** The listener that this run is for. */
export const listener = combination.socketListener
