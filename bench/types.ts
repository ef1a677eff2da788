// What the type checker pays per endpoint: generated APIs of 50 and 200 endpoints, written with
// Flange and with plain HttpApi, checked by `tsc --extendedDiagnostics`.
// Run: node bench/types.ts        Options: --rounds --quick
import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { resolve } from "node:path"
import { flange, httpapi } from "./lib/Generate.ts"
import * as Options from "./lib/Options.ts"
import * as Package from "./lib/Package.ts"
import * as Report from "./lib/Report.ts"
import { median, ratios, type Spread, spread } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"

const sizes = [50, 200] as const
const generate = { flange, httpapi }
const kinds = ["flange", "httpapi"] as const
type Kind = (typeof kinds)[number]

const options = Options.parse({ quick: { rounds: 1, seconds: 1 }, rounds: 5, seconds: 1 })
const noise = new Report.Noise()
const folder = resolve(import.meta.dirname, ".cache/types")
const tsc = resolve(import.meta.dirname, "../node_modules/.bin/tsc")

const write = (kind: Kind, size: number) => {
  const place = resolve(folder, `${kind}-${size}`)
  mkdirSync(place, { recursive: true })
  for (const [name, text] of Object.entries(generate[kind](size))) {
    writeFileSync(resolve(place, name), text)
  }
  writeFileSync(
    resolve(place, "tsconfig.json"),
    JSON.stringify({
      // As outside the repository: declarations, not sources.
      compilerOptions: { customConditions: [] },
      exclude: [],
      extends: "../../../../tsconfig.json",
      include: ["*.ts"]
    })
  )
  return place
}

interface Check {
  readonly instantiations: number
  readonly seconds: number
}

const check = (place: string): Check => {
  const parameters = ["-p", place, "--extendedDiagnostics", "--singleThreaded"]
  const { status, stderr, stdout } = spawnSync(tsc, parameters, { encoding: "utf8" })
  if (status !== 0) throw new Error(`${place} does not compile:\n${stdout}${stderr}`)
  const read = (name: string) => {
    const found = new RegExp(`^${name}:\\s+([\\d.]+)`, "m").exec(stdout)
    if (found === null) throw new Error(`tsc says nothing of ${name}:\n${stdout}`)
    return Number(found[1])
  }
  return { instantiations: read("Instantiations"), seconds: read("Check time") }
}

Package.build()
rmSync(folder, { force: true, recursive: true })
const places = kinds.flatMap((kind) =>
  sizes.map((size) => ({ checks: [] as Array<Check>, kind, place: write(kind, size), size }))
)
for (let round = 0; round < options.rounds; round++) {
  await noise.sample()
  for (const { checks, place } of places) checks.push(check(place))
}

/** What an endpoint adds, of the difference between the large and the small API. */
const perEndpoint = (kind: Kind, measure: keyof Check): ReadonlyArray<number> => {
  const [small, large] = sizes.map(
    (size) => places.find((place) => place.kind === kind && place.size === size)!.checks
  )
  return large!.map((check, i) => (check[measure] - small![i]![measure]) / (sizes[1] - sizes[0]))
}

interface Result {
  readonly instantiationsPerEndpoint: number
  readonly instantiationsRatio: number
  readonly millisPerEndpoint: Spread
  readonly secondsInAll: Readonly<Record<number, Spread>>
  readonly timeRatio: Spread
}

const results = Object.fromEntries(
  kinds.map((kind): [Kind, Result] => [
    kind,
    {
      instantiationsPerEndpoint: median(perEndpoint(kind, "instantiations")),
      instantiationsRatio:
        median(perEndpoint(kind, "instantiations")) /
        median(perEndpoint("httpapi", "instantiations")),
      millisPerEndpoint: spread(perEndpoint(kind, "seconds").map((seconds) => seconds * 1000)),
      secondsInAll: Object.fromEntries(
        places
          .filter((place) => place.kind === kind)
          .map(({ checks, size }) => [size, spread(checks.map(({ seconds }) => seconds))])
      ),
      timeRatio: ratios(perEndpoint(kind, "seconds"), perEndpoint("httpapi", "seconds"))
    }
  ])
)

console.log("\nType checking, ratio to plain HttpApi: median (min to max)\n")
console.log(
  table(
    ["", "ms per endpoint", "ratio", "instantiations per endpoint", "ratio"],
    Object.entries(results).map(([kind, result]) => [
      kind === "flange" ? "Flange" : "Effect HttpApi",
      cell(result.millisPerEndpoint),
      cell(result.timeRatio),
      result.instantiationsPerEndpoint.toFixed(0),
      result.instantiationsRatio.toFixed(2)
    ])
  )
)
const circumstances = Report.circumstances({ ...options, client: "tsc", seconds: 0 }, noise)
console.log(`\n${Report.describeWithoutLoad(circumstances)}`)
Report.write(`${Report.nameOf("types", options)}.json`, { circumstances, results })
