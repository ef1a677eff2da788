/** The samples of a text of metrics. */

/** One line of a text of metrics. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly name: string
  readonly value: number
}

/** Returns the samples of a text; exemplars are left out. */
export const samplesOf = (text: string): ReadonlyArray<Sample> =>
  text.split("\n").flatMap((line) => {
    const [, name, labels = "", value] = /^(\w+)(?:\{(.*?)\})? (\S+)/.exec(line) ?? []
    if (name === undefined || value === undefined) return []
    return [
      {
        labels: Object.fromEntries(
          [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key!, text!])
        ),
        name,
        value: Number(value.replace("+Inf", "Infinity"))
      }
    ]
  })

/** Returns the value of the sample with this name and, among others, these labels. */
export const valueOf = (
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {}
): number | undefined =>
  samplesOf(text).find(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value)
  )?.value
