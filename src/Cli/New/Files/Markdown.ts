/** Tables of Markdown as the formatter of a new project prints them. */

/** A row with two cells. */
export type Row = readonly [string, string]

/** Returns a table with a head and rows. */
export const table = (head: Row, rows: ReadonlyArray<Row>): string => {
  const all = [head, ...rows]
  const width = (column: 0 | 1) => Math.max(...all.map((row) => row[column].length))
  const line = ([left, right]: Row, fill = " ") =>
    `| ${left.padEnd(width(0), fill)} | ${right.padEnd(width(1), fill)} |\n`
  return line(head) + line(["", ""], "-") + rows.map((row) => line(row)).join("")
}
