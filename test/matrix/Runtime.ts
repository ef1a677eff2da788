/**
 * Stands in the place of `src/Server/Runtime.ts` in a run for another runtime: a test that names the listener
 * "node" gets that of the runtime.
 */

/** Refuses nothing. */
export const issues = () => []
