import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

const measure = (): (() => number) => {
  const { Bun } = globalThis as { readonly Bun?: { readonly gc: (wait: boolean) => void } }
  if (Bun !== undefined) {
    return () => {
      Bun.gc(true)
      return process.memoryUsage().heapUsed
    }
  }
  setFlagsFromString("--expose-gc")
  const gc: () => void = runInNewContext("gc")
  return () => {
    gc()
    gc()
    const { external, heapUsed } = process.memoryUsage()
    return heapUsed + external
  }
}

/** Returns how much memory is used after a collection. `heapUsed` of Bun has what is external too. */
export const usedMemory = measure()
