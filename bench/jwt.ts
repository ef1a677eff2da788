// What it costs to verify a token: jose, others, and what Flange calls. Ratios are to jose; below 1
// is better. All candidates take turns in one process, with many tokens, so that only the candidate
// that says so answers from a cache. Asynchronous ones have 16 tokens under way at once.
// Run: node bench/jwt.ts        Options: --rounds --quick
import { createSecretKey, generateKeyPairSync } from "node:crypto"
import { setTimeout as pause } from "node:timers/promises"
import * as Fleet from "./lib/Fleet.ts"
import * as Options from "./lib/Options.ts"
import * as Report from "./lib/Report.ts"
import { ratios, type Spread, spread } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"
import * as Verifiers from "./lib/Verifiers.ts"
import { jwt } from "./servers/support/Contract.ts"

const options = Options.parse({ quick: { rounds: 3, seconds: 1 }, rounds: 11, seconds: 1 })
const noise = new Report.Noise()
const secret = createSecretKey(Buffer.from(jwt.secret))

const signers: ReadonlyArray<Verifiers.Signer> = [
  { algorithm: "HS256", privateKey: secret, publicKey: secret },
  { algorithm: "RS256", ...generateKeyPairSync("rsa", { modulusLength: 2048 }) },
  { algorithm: "ES256", ...generateKeyPairSync("ec", { namedCurve: "P-256" }) },
  { algorithm: "EdDSA", ...generateKeyPairSync("ed25519") }
]

/** Microseconds for each token. */
interface Sample {
  /** Of all threads. */
  readonly cpu: number
  /** Of the thread that also does everything else: how long other requests wait. */
  readonly main: number
  readonly wall: number
}

const measures = ["cpu", "main", "wall"] as const
const atOnce = 16

const micros = ({ system, user }: NodeJS.CpuUsage) => system + user

const run = async (
  { asynchronous, verify }: Verifiers.Candidate,
  tokens: ReadonlyArray<string>
): Promise<Sample> => {
  const start = process.hrtime.bigint()
  const cpu = process.cpuUsage()
  const main = process.threadCpuUsage()
  if (asynchronous) {
    for (let i = 0; i < tokens.length; i += atOnce) {
      await Promise.all(tokens.slice(i, i + atOnce).map(verify))
    }
  } else {
    for (const token of tokens) verify(token)
  }
  const [used, mine] = [micros(process.cpuUsage(cpu)), micros(process.threadCpuUsage(main))]
  const wall = Number(process.hrtime.bigint() - start) / 1000
  const each = (total: number) => total / tokens.length
  return { cpu: each(used), main: each(mine), wall: each(wall) }
}

/** A candidate that accepts everything would win. */
const check = async ({ name, verify }: Verifiers.Candidate, token: string): Promise<void> => {
  await verify(token)
  const last = token.at(-9) === "A" ? "B" : "A"
  try {
    await verify(`${token.slice(0, -9)}${last}${token.slice(-8)}`)
  } catch {
    return
  }
  throw new Error(`${name} accepts a wrong signature`)
}

const results: Record<string, Record<string, Record<string, { ratio: Spread; value: Spread }>>> = {}
for (const signer of signers) {
  const { algorithm } = signer
  const tokens = await Verifiers.tokens(signer, algorithm === "HS256" ? 960 : 320)
  const candidates = await Verifiers.candidates(signer)
  for (const candidate of candidates) {
    await check(candidate, tokens[0]!)
    for (let i = 0; i < 5; i++) await run(candidate, tokens)
  }
  const samples = new Map(candidates.map(({ name }) => [name, [] as Array<Sample>]))
  for (let round = 0; round < options.rounds; round++) {
    await noise.sample()
    for (const candidate of Fleet.turn(candidates, round)) {
      await pause(5)
      samples.get(candidate.name)!.push(await run(candidate, tokens))
    }
  }
  const of = (name: string, measure: keyof Sample) => samples.get(name)!.map((one) => one[measure])
  results[algorithm] = Object.fromEntries(
    candidates.map(({ name }) => [
      name,
      Object.fromEntries(
        measures.map((measure) => {
          const values = of(name, measure)
          return [
            measure,
            { ratio: ratios(values, of(Verifiers.base, measure)), value: spread(values) }
          ]
        })
      )
    ])
  )
  console.log(`${algorithm}: ${options.rounds} rounds`)
}

console.log(
  `\nRatio to "${Verifiers.base}": median (min to max); below 1 is better; and µs for each token\n`
)
console.log(
  table(
    ["", "", "CPU, all threads", "µs", "main thread", "µs", "wall", "µs"],
    Object.entries(results).flatMap(([algorithm, byName]) =>
      Object.entries(byName).map(([name, result]) => [
        algorithm,
        name,
        ...measures.flatMap((measure) => [
          cell(result[measure]!.ratio),
          result[measure]!.value.median.toFixed(1)
        ])
      ])
    )
  )
)
const circumstances = Report.circumstances({ ...options, seconds: 0 }, noise)
console.log(`\n${Report.describeWithoutLoad(circumstances)}`)
Report.write(`${Report.nameOf("jwt", options)}.json`, { circumstances, results })
