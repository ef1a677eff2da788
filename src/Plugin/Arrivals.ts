/** Data that has arrived at the process and that nothing has read yet. */

/** Milliseconds after which Deno has read it: it runs what `setImmediate` has got before it reads. */
const reading = 5

/**
 * Calls a function when the data that has already arrived has been read. After a long computation, a timer runs
 * before that data is read.
 */
export const afterArrivals = (run: () => void): void => {
  if ("Deno" in globalThis) setTimeout(run, reading)
  else setImmediate(run)
}
