// Measures how far the memory of the cache's memory backend is from its budget, after random inserts of
// many sizes and scripts: `node --expose-gc bench/cacheBudget.ts [inserts] [budget in MiB]`.
import * as Clock from "effect/Clock"
import { MemoryStore } from "../src/Layers/Cache/MemoryStore.ts"

const inserts = Number(process.argv[2] ?? 1_000_000)
const budget = Number(process.argv[3] ?? 128) * 2 ** 20

/** A generator of random numbers with a seed (mulberry32), so that two runs insert the same. */
const random = (() => {
  let state = 42
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
})()

const scripts = ["a", "é", "я", "字", "😀"]

const { gc } = globalThis
if (gc === undefined) throw new Error("Run it with node --expose-gc.")
const used = () => {
  gc()
  gc()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

/** Fills a store, and returns what it counted and what it used. */
const measure = (longest: number, count: number) => {
  const before = used()
  const store = new MemoryStore(budget)
  const clock = Clock.Clock.defaultValue()
  for (let i = 0; i < count; i++) {
    const text = scripts[Math.floor(random() * scripts.length)]!.repeat(
      Math.ceil(random() * longest)
    )
    const value = `0123456789abcdef${JSON.stringify([i, i, i, "", [], 0, text])}`
    store.write(
      `app:entry/products/${Math.floor(random() * inserts)}`,
      { ttl: 60_000, value },
      clock
    )
  }
  const after = used()
  return { counted: store.bytes, grown: after - before }
}

const longest = Number(process.argv[4] ?? 1000)
const count = Math.min(inserts, Math.ceil((budget / longest) * 20))
const { counted, grown } = measure(longest, count)
const share = (n: number) => (n / budget).toFixed(3)
console.log(
  `texts up to ${longest}: ${count} inserts, counted ${share(counted)} of the budget, used ${share(grown)}`
)
