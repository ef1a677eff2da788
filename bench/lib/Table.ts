import type { Spread } from "./Statistics.ts"

/** `1.04 (0.98 to 1.11)` */
export const cell = ({ max, median, min }: Spread, digits = 2): string =>
  `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`

/** A table in Markdown, with its columns aligned so that a terminal shows it well. */
export const table = (
  head: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): string => {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0))
  )
  const line = (cells: ReadonlyArray<string>) =>
    `| ${cells.map((text, i) => text.padEnd(widths[i]!)).join(" | ")} |`
  return [
    line(head),
    `|${widths.map((w) => "-".repeat(w + 2)).join("|")}|`,
    ...rows.map(line)
  ].join("\n")
}
