/** The memory of a server that runs with --expose-gc. */

/** Returns the bytes in use after garbage is collected and the memory that it took is given back. */
export const memory = (): { readonly heap: number; readonly resident: number } => {
  const { gc } = globalThis as { readonly gc?: (options: object) => void }
  for (let i = 0; i < 3; i++) gc?.({ execution: "sync", flavor: "last-resort", type: "major" })
  const { external, heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed + external, resident: rss }
}
