// Time and peak memory until an embedded database has answered its first query: an app of Flange
// beside PGlite alone. `first` is a new directory, with the template of Flange in its cache.
// Run: node bench/embedded.ts        Options: --rounds --quick
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import * as Options from "./lib/Options.ts"
import * as Package from "./lib/Package.ts"
import * as Report from "./lib/Report.ts"
import { ratios, type Spread, spread } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"

const options = Options.parse({ quick: { rounds: 2, seconds: 1 }, rounds: 5, seconds: 1 })
const noise = new Report.Noise()
const folder = mkdtempSync(join(tmpdir(), "flange-embedded-"))

type Sample = Readonly<Record<string, number>>

const starts = [
  { base: "pglite first", kind: "first", name: "pglite first", variant: "pglite" },
  { base: "pglite warm", kind: "warm", name: "pglite warm", variant: "pglite" },
  { base: "pglite memory", kind: "memory", name: "pglite memory", variant: "pglite" },
  { base: "pglite warm", kind: "first", name: "flange first", variant: "flange" },
  { base: "pglite warm", kind: "warm", name: "flange warm", variant: "flange" },
  { base: "pglite warm", kind: "memory", name: "flange memory", variant: "flange" }
] as const

const run = ({ kind, variant }: (typeof starts)[number]): Sample => {
  const directory = join(folder, variant)
  if (kind === "first") rmSync(directory, { force: true, recursive: true })
  const { DIRECTORY: _, ...environment } = process.env
  const output = execFileSync(
    process.execPath,
    [resolve(import.meta.dirname, "servers/embedded.ts")],
    {
      encoding: "utf8",
      env: {
        ...environment,
        ...(kind === "memory" ? {} : { DIRECTORY: directory }),
        VARIANT: variant
      },
      stdio: ["ignore", "pipe", "inherit"]
    }
  )
  return JSON.parse(output) as Sample
}

Package.build()
const samples = new Map(starts.map(({ name }) => [name as string, [] as Array<Sample>]))
try {
  run(starts[5]) // fills the cache
  for (let round = 0; round < options.rounds; round++) {
    await noise.sample()
    for (const start of starts) samples.get(start.name)!.push(run(start))
    console.log(`round ${round + 1} of ${options.rounds}`)
  }
} finally {
  rmSync(folder, { force: true, recursive: true })
}

const of = (name: string, measure: string) => samples.get(name)!.map((each) => each[measure]!)
const measures = Object.keys(samples.get("pglite warm")![0]!)
const results = Object.fromEntries(
  starts.map(({ base, name }) => [
    name,
    Object.fromEntries(
      measures.map((measure): [string, { readonly ratio: Spread; readonly value: Spread }] => [
        measure,
        {
          ratio: ratios(of(name, measure), of(base, measure)),
          value: spread(of(name, measure))
        }
      ])
    )
  ])
)
console.log("\nSeconds and MiB, and ratios of Flange to a warm start of PGlite alone\n")
console.log(
  table(
    ["", ...measures.flatMap((measure) => [measure, "ratio"])],
    Object.entries(results).map(([name, result]) => [
      name,
      ...measures.flatMap((measure) => {
        const { ratio, value } = result[measure]!
        return [value.median.toFixed(measure.endsWith("MiB") ? 0 : 2), cell(ratio)]
      })
    ])
  )
)
const circumstances = Report.circumstances(options, noise)
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("embedded", options)}.json`, { circumstances, results })
