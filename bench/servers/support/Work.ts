// A handler that computes. The runner measures once how many steps take 2 ms, so that every server does
// the same work, and no server does less if it is interrupted.
export const work = (steps: number): number => {
  let x = 1
  for (let i = 0; i < steps; i++) x = (Math.imul(x, 1_103_515_245) + 12_345) | 0
  return x
}

export const steps = Number(process.env["BENCH_STEPS"])
