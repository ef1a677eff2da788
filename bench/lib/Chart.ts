/** The chart that README shows: bars with their spread, readable on light and dark. */
import * as Peers from "./Peers.ts"
import { type Circumstances, isNoisy } from "./Report.ts"
import type { Spread } from "./Statistics.ts"

interface Bars {
  readonly peers: Readonly<
    Record<string, { readonly geometricMean: Spread; readonly title: string }>
  >
}

const width = 720
const left = 150
const right = 60
const rowHeight = 24
const barHeight = 14
const panelHead = 38

const escape = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const style = `
  text { fill: #1f2328; font: 12px ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif }
  .small { fill: #59636e; font-size: 11px }
  .title { font-size: 14px; font-weight: 600 }
  .bar { fill: #8c959f }
  .own { fill: #0969da }
  .spread { stroke: #1f2328; stroke-width: 1.5 }
  .base { stroke: #59636e; stroke-dasharray: 3 3 }
  .ground { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .small { fill: #9198a1 }
    .bar { fill: #656c76 }
    .own { fill: #4493f8 }
    .spread { stroke: #f0f6fc }
    .base { stroke: #9198a1 }
    .ground { fill: #0d1117 }
  }`

const panel = (tier: string, { peers }: Bars, top: number, scale: (ratio: number) => number) => {
  const sorted = Object.entries(peers).sort(
    ([, a], [, b]) => b.geometricMean.median - a.geometricMean.median
  )
  const rows = sorted.map(([name, { geometricMean: mean, title }], i) => {
    const y = top + panelHead + i * rowHeight
    const middle = y + barHeight / 2
    const bar = name.startsWith("flange") ? "own" : "bar"
    return [
      `<text x="${left - 8}" y="${middle + 4}" text-anchor="end">${escape(title)}</text>`,
      `<rect class="${bar}" x="${left}" y="${y}" width="${(scale(mean.median) - left).toFixed(1)}" height="${barHeight}" rx="2"/>`,
      `<line class="spread" x1="${scale(mean.min).toFixed(1)}" x2="${scale(mean.max).toFixed(1)}" y1="${middle}" y2="${middle}"/>`,
      `<text x="${(scale(mean.max) + 6).toFixed(1)}" y="${middle + 4}">${mean.median.toFixed(2)}</text>`
    ].join("\n")
  })
  const bottom = top + panelHead + sorted.length * rowHeight
  const one = scale(1).toFixed(1)
  return {
    bottom,
    text: [
      `<text class="title" x="16" y="${top + 18}">${escape(tier)}</text>`,
      `<line class="base" x1="${one}" x2="${one}" y1="${top + panelHead - 8}" y2="${bottom - 4}"/>`,
      ...rows
    ].join("\n")
  }
}

/** The geometric mean of each peer in each tier, the fastest first, as an SVG document. */
export const draw = (of: Circumstances, tiers: Readonly<Record<string, Bars>>): string => {
  const most = Math.max(
    1,
    ...Object.values(tiers).flatMap(({ peers }) =>
      Object.values(peers).map(({ geometricMean }) => geometricMean.max)
    )
  )
  const scale = (ratio: number) => left + (ratio / most) * (width - left - right)
  let top = 56
  const panels = Object.entries(tiers).map(([tier, bars]) => {
    const drawn = panel(tier, bars, top, scale)
    top = drawn.bottom + 14
    return drawn.text
  })
  const height = top + 22
  const base = Peers.peers.find(({ name }) => name === Peers.base)!.title
  const facts = [
    of.date.slice(0, 10),
    `Node ${of.node}`,
    of.cpu,
    of.client,
    `${of.rounds} rounds of ${of.seconds} s`,
    ...(of.quick ? ["quick run"] : []),
    ...(isNoisy(of) ? ["other programs ran too"] : [])
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Requests per second, ratio to ${base}">
<style>${style}
</style>
<rect class="ground" width="${width}" height="${height}" rx="6"/>
<text class="title" x="16" y="26">Requests per second, one core, ratio to ${base}</text>
<text class="small" x="16" y="44">Geometric mean over the endpoints: median of the rounds, line from the lowest to the highest</text>
${panels.join("\n")}
<text class="small" x="16" y="${height - 12}">${escape(facts.join(" · "))}</text>
</svg>
`
}
