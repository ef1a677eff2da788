/** A straight line through samples. */
export interface Line {
  /** Standard error of the slope. */
  readonly error: number
  /** Per hour. */
  readonly slope: number
}

const hour = 3600

/** The least-squares line through values at seconds. */
export const fit = (seconds: ReadonlyArray<number>, values: ReadonlyArray<number>): Line => {
  const n = seconds.length
  const mean = (list: ReadonlyArray<number>) => list.reduce((sum, value) => sum + value, 0) / n
  const [x, y] = [mean(seconds), mean(values)]
  const spread = seconds.reduce((sum, second) => sum + (second - x) ** 2, 0)
  const slope =
    seconds.reduce((sum, second, i) => sum + (second - x) * (values[i]! - y), 0) / spread
  const rest = seconds.reduce(
    (sum, second, i) => sum + (values[i]! - y - slope * (second - x)) ** 2,
    0
  )
  return { error: Math.sqrt(rest / (n - 2) / spread) * hour, slope: slope * hour }
}
