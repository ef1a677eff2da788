/** Tables in the form in which the formatter leaves them, and the parts of a document that are generated. */

export const markdown = (
  titles: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): string => {
  const widths = titles.map((title, i) =>
    Math.max(3, title.length, ...rows.map((row) => row[i]!.length))
  )
  const line = (cells: ReadonlyArray<string>) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`
  return [
    line(titles),
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...rows.map(line)
  ].join("\n")
}

const part = /(<!-- simulation (\S+) -->\n)[^]*?(<!-- \/simulation -->)/g

/** Returns the document with what `of` returns for the name of each part between its marks. */
export const filled = (document: string, of: (name: string) => string): string =>
  document.replaceAll(
    part,
    (_, begin: string, name: string, end: string) => `${begin}\n${of(name)}\n\n${end}`
  )
