// A handler that computes: the hash of a piece of bytes, many times. The runner measures once how many steps
// take 2 ms, so that every server does the same work. Native code takes the same time in each of them; a
// loop of JavaScript would take six times as long once V8 stops to optimize it, which happens under load.
import { hash } from "node:crypto"

const piece = Buffer.alloc(1024)

export const work = (steps: number): number => {
  let x = 0
  for (let i = 0; i < steps; i++) x = hash("sha256", piece, "buffer")[0]!
  return x
}

export const steps = Number(process.env["BENCH_STEPS"])
