/** Stands in the place of `src/Server/Defaults.ts` in a run for another combination. */
import * as combination from "./combination.ts"

/** The codec that this run is for. */
export const codec = combination.codec

/** Whether the listener takes HTTP/2 too: raw sockets of tests still get HTTP/1.1. */
export const h2c = combination.h2c

/** The listener that this run is for. */
export const listener = combination.socketListener
