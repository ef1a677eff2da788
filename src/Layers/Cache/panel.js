/** The panel of the console that shows the numbers of the cache. */

const columns = [
  ["hits", "hits"],
  ["misses", "misses"],
  ["stale", "stale"],
  ["undecodable", "undecodable"],
  ["loads", "loads"],
  ["loadsFailed", "failed loads"],
  ["evictions", "evictions"],
  ["bytes", "bytes"]
]

const row = (document, kind, texts) => {
  const line = document.createElement("tr")
  for (const text of texts) {
    const cell = document.createElement(kind)
    cell.textContent = String(text)
    line.append(cell)
  }
  return line
}

/** Shows what `GET /cache` of the admin port returns. */
export const render = (element, { backend, caches, errors }) => {
  const { ownerDocument: document } = element
  const summary = document.createElement("p")
  summary.textContent = `Backend: ${backend}. Failures of the backend: ${errors}.`
  const table = document.createElement("table")
  table.append(
    row(document, "th", ["cache", ...columns.map(([, title]) => title)]),
    ...Object.entries(caches).map(([name, numbers]) =>
      row(document, "td", [name, ...columns.map(([field]) => numbers[field])])
    )
  )
  element.replaceChildren(summary, table)
}
