// The memory of a server that runs with --expose-gc.
declare const gc: () => void

/** Collects garbage, and returns the bytes of the process and of its heap. */
export const resident = (): { readonly heap: number; readonly resident: number } => {
  for (let i = 0; i < 4; i++) gc()
  return { heap: process.memoryUsage().heapUsed, resident: process.memoryUsage.rss() }
}
