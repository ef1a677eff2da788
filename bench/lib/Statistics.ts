export interface Spread {
  readonly max: number
  readonly median: number
  readonly min: number
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1
    ? sorted[Math.floor(middle)]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export const geometricMean = (values: ReadonlyArray<number>): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)

export const spread = (values: ReadonlyArray<number>): Spread => ({
  max: Math.max(...values),
  median: median(values),
  min: Math.min(...values)
})

/** Each value divided by the other's of the same round. */
export const ratios = (values: ReadonlyArray<number>, base: ReadonlyArray<number>): Spread =>
  spread(values.map((value, round) => value / base[round]!))
