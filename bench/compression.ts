/**
 * What compression costs an app: CPU time of a request in memory whose reply is compressed, against the
 * bare call of `node:zlib` for the same body, coding and level, beside the same request without
 * compression. "ratio" is the time of a bare call and the plain request together, over that of the
 * compressed request: 1 if the app adds nothing to the call.
 * Run: node bench/compression.ts        Options: --rounds --quick
 */
import { strictEqual } from "node:assert/strict"
import { parseArgs } from "node:util"
import * as Zlib from "node:zlib"
import * as Fleet from "./lib/Fleet.ts"
import * as Package from "./lib/Package.ts"
import * as Report from "./lib/Report.ts"
import { ratios, spread } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"

const { values } = parseArgs({
  options: { quick: { default: false, type: "boolean" }, rounds: { type: "string" } }
})
const rounds = Number(values.rounds ?? (values.quick ? 5 : 31))
if (!(rounds >= 1)) throw new Error(`--rounds ${values.rounds}: write a whole number above 0`)
const noise = new Report.Noise()

Package.build()
// Loaded when `flange` is there.
const { bodyOf, handler } = await import("./lib/Compressed.ts")

const { constants } = Zlib
const brotli = (size: number) => ({
  params: {
    [constants.BROTLI_PARAM_QUALITY]: 4,
    [constants.BROTLI_PARAM_SIZE_HINT]: size
  }
})
const zstd = { params: { [constants.ZSTD_c_compressionLevel]: 3 } }

type Done = (error: Error | null, bytes: Buffer) => void

/** The calls that a program without a framework makes: at once for short bodies, else in the thread pool. */
const calls = {
  br: {
    now: (body: string) => Zlib.brotliCompressSync(body, brotli(body.length)),
    pool: (body: string, done: Done) => Zlib.brotliCompress(body, brotli(body.length), done)
  },
  gzip: {
    now: (body: string) => Zlib.gzipSync(body, { level: 4 }),
    pool: (body: string, done: Done) => Zlib.gzip(body, { level: 4 }, done)
  },
  zstd: {
    now: (body: string) => Zlib.zstdCompressSync(body, zstd),
    pool: (body: string, done: Done) => Zlib.zstdCompress(body, zstd, done)
  }
}

/** How many rounds run before those that are measured. */
const warmUps = 10

const sizes = [2_000, 12_000, 100_000, 500_000]

interface Case {
  readonly count: number
  readonly name: string
  readonly run: () => Promise<unknown>
}

const cases: ReadonlyArray<ReadonlyArray<Case>> = sizes.flatMap((size) => {
  const body = bodyOf(size)
  const count = Math.max(20, Math.round(2e6 / size))
  const ask = async (coding: string) => {
    const headers = { "accept-encoding": coding }
    const response = await handler(new Request(`http://app/${size}`, { headers }))
    return { bytes: await response.arrayBuffer(), coding: response.headers.get("content-encoding") }
  }
  return Object.entries(calls).map(([coding, { now, pool }]) => [
    { count, name: `${size} B, ${coding}`, run: () => ask(coding) },
    { count, name: "plain", run: () => ask("identity") },
    {
      count,
      name: "bare",
      run: () =>
        size <= 32 * 1024
          ? Promise.resolve(now(body))
          : new Promise((resolve, reject) =>
              pool(body, (error, bytes) => (error === null ? resolve(bytes) : reject(error)))
            )
    }
  ])
})

/** Microseconds of CPU time for each run, those of the thread pool included. */
const measure = async ({ count, run }: Case): Promise<number> => {
  const before = process.cpuUsage()
  for (let i = 0; i < count; i++) await run()
  const { system, user } = process.cpuUsage(before)
  return (system + user) / count
}

const results: Record<string, object> = {}
const lines: Array<ReadonlyArray<string>> = []
for (const group of cases) {
  const [compressed, plain, bare] = group
  const reply = (await compressed!.run()) as { bytes: ArrayBuffer; coding: string | null }
  strictEqual(reply.coding, compressed!.name.split(", ")[1])
  strictEqual(reply.bytes.byteLength, ((await bare!.run()) as Buffer).length)
  // The first thousands of calls are those that V8 compiles.
  for (let i = 0; i < warmUps; i++) for (const each of group) await measure(each)
  const samples = new Map(group.map(({ name }) => [name, [] as Array<number>]))
  for (let round = 0; round < rounds; round++) {
    if (round % 10 === 0) await noise.sample()
    for (const each of Fleet.turn(group, round)) samples.get(each.name)!.push(await measure(each))
  }
  const of = ({ name }: Case) => samples.get(name)!
  const together = of(plain!).map((micros, round) => micros + of(bare!)[round]!)
  const ratio = ratios(together, of(compressed!))
  const micros = group.map((each) => spread(of(each)))
  lines.push([compressed!.name, ...micros.map((each) => cell(each, 0)), cell(ratio)])
  results[compressed!.name] = { bare: micros[2], compressed: micros[0], plain: micros[1], ratio }
}
console.log("\nCPU time of a reply in memory: median (min to max)\n")
console.log(table(["", "compressed, µs", "plain, µs", "bare call, µs", "ratio"], lines))
const circumstances = Report.circumstances(
  { client: "none", quick: values.quick, rounds, seconds: 0 },
  noise
)
console.log(`\n${Report.describeWithoutLoad(circumstances)}`)
Report.write(`compression${values.quick ? ".quick" : ""}.json`, { circumstances, results })
