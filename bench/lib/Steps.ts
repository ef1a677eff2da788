/** How much work takes how long on this machine. */
import { work } from "../servers/support/Work.ts"

/** Returns the steps of work that take so long; the fastest of several runs, in which nothing interfered. */
export const taking = (millis: number): number => {
  const count = 1000
  let best = Infinity
  for (let i = 0; i < 30; i++) {
    const start = performance.now()
    work(count)
    best = Math.min(best, performance.now() - start)
  }
  return Math.round((count * millis) / best)
}
