/** The graph of the plugins of an app as a picture. */
import { escape } from "../Xml.ts"
import type { PluginGraph } from "./PluginGraph.ts"

const character = 7.8
const height = 28
const gap = { x: 90, y: 18 }
const margin = 16

/** A plugin in a column, or the place in a column that an edge to a farther one passes. */
interface Box {
  readonly column: number
  readonly id: string
  readonly label: string | undefined
  readonly next: ReadonlyArray<string>
  /** The middle of its height. */
  y: number
}

/** Returns how many requirements follow each other at most above each plugin. */
const columnsOf = (plugins: PluginGraph): ReadonlyMap<string, number> => {
  const columns = new Map(plugins.map(({ id }) => [id, 0]))
  // A path has fewer steps than there are plugins; those of a circle never settle.
  for (let round = 1; round < plugins.length; round++) {
    for (const { id, requires } of plugins) {
      for (const other of requires.keys()) {
        columns.set(other, Math.max(columns.get(other)!, Math.min(columns.get(id)! + 1, round)))
      }
    }
  }
  return columns
}

/** Returns the boxes: edges lead from one column to the next, through empty boxes. */
const boxesOf = (plugins: PluginGraph): ReadonlyArray<Box> => {
  const columns = columnsOf(plugins)
  return plugins.flatMap(({ id, label, requires }) => {
    const column = columns.get(id)!
    const passed: Array<Box> = []
    const next = [...requires.keys()].map((other) => {
      const steps = columns.get(other)! - column
      const at = (step: number) => (step >= steps ? other : `${id} ${other} ${step}`)
      for (let step = 1; step < steps; step++) {
        passed.push({
          column: column + step,
          id: at(step),
          label: undefined,
          next: [at(step + 1)],
          y: 0
        })
      }
      return at(1)
    })
    return [{ column, id, label, next, y: 0 }, ...passed]
  })
}

/** Puts each box near the middle of those that lead to it, and below its neighbour. */
const place = (columns: ReadonlyArray<ReadonlyArray<Box>>): void => {
  for (const [index, boxes] of columns.entries()) {
    const wish = new Map(
      boxes.map((box, at) => {
        const from = (columns[index - 1] ?? []).filter(({ next }) => next.includes(box.id))
        const y = from.reduce((sum, { y }) => sum + y, 0) / from.length
        return [box, from.length === 0 ? margin + height / 2 + at * (height + gap.y) : y]
      })
    )
    let free = margin + height / 2
    for (const box of boxes.toSorted((a, b) => wish.get(a)! - wish.get(b)!)) {
      box.y = Math.max(free, wish.get(box)!)
      free = box.y + (box.label === undefined ? height / 2 : height) + gap.y
    }
  }
}

/** Returns the picture: an arrow leads from each plugin to those that it requires. */
export const render = (app: string, plugins: PluginGraph): string => {
  const boxes = boxesOf(plugins)
  const columns = [...Map.groupBy(boxes, ({ column }) => column)]
    .sort(([a], [b]) => a - b)
    .map(([, column]) => column)
  place(columns)
  const widths = columns.map((column) =>
    Math.max(...column.map(({ label = "" }) => [...label].length * character + 24))
  )
  const lefts = widths.map((_, at) =>
    widths.slice(0, at).reduce((left, width) => left + width + gap.x, margin)
  )
  const right = (lefts.at(-1) ?? 0) + (widths.at(-1) ?? 0) + margin
  const bottom = Math.max(0, ...boxes.map(({ y }) => y + height / 2)) + margin
  const byId = new Map(boxes.map((box) => [box.id, box]))
  const round = (number: number) => Math.round(number * 10) / 10
  const arrows = boxes.flatMap((box) =>
    box.next.map((id) => {
      const to = byId.get(id)!
      const [x, end] = [round(lefts[box.column]! + widths[box.column]!), round(lefts[to.column]!)]
      const middle = round((x + end) / 2)
      const curve = `M${x} ${round(box.y)}C${middle} ${round(box.y)} ${middle} ${round(to.y)} ${end} ${round(to.y)}`
      return to.label === undefined
        ? `<path d="${curve}h${round(widths[to.column]!)}"/>`
        : `<path d="${curve}" marker-end="url(#end)"/>`
    })
  )
  const rectangles = boxes.flatMap(({ column, label, y }) => {
    if (label === undefined) return []
    const [left, top] = [round(lefts[column]!), round(y - height / 2)]
    return [
      `<rect x="${left}" y="${top}" width="${round(widths[column]!)}" height="${height}" rx="6"/>`,
      `<text x="${left + 12}" y="${round(y + 4.5)}">${escape(label)}</text>`
    ]
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(right)} ${round(bottom)}" width="${round(right)}" height="${round(bottom)}" role="img">
<title>Plugins of ${escape(app)}</title>
<style>svg{background:#fff}path{fill:none;stroke:#667;stroke-width:1.3}rect{fill:#eef2fb;stroke:#44c}text{font:13px ui-monospace,monospace;fill:#112}#end path{fill:#667;stroke:none}</style>
<defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>
${[...arrows, ...rectangles].join("\n")}
</svg>`
}
