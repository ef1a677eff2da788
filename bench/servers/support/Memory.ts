/** The memory of a server that runs with --expose-gc. */

/** Returns the bytes in use after garbage is collected. */
export const memory = (): { readonly heap: number; readonly resident: number } => {
  const { gc } = globalThis as { readonly gc?: () => void }
  for (let i = 0; i < 3; i++) gc?.()
  const { external, heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed + external, resident: rss }
}
