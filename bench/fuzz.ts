// Mutated bytes of valid requests over real sockets: no crash, no hang, no reply of 500 or more, and
// no difference between the two listeners that is not listed and explained in
// test/Server/fuzz/differences.ts. A failure prints its seed; `--seed` with it runs it first.
// Run: node --conditions=flange-source bench/fuzz.ts
// Options: --minutes 5 --listener node|proxied --seed NUMBER --width 32
import { parseArgs } from "node:util"
import { type Name, run } from "../test/Server/fuzz/fuzz.ts"

const { values } = parseArgs({
  options: {
    listener: { type: "string" },
    minutes: { default: "5", type: "string" },
    seed: { default: String(Date.now() % 2 ** 31), type: "string" },
    width: { default: "32", type: "string" }
  }
})
const { listener } = values
if (listener !== undefined && listener !== "node" && listener !== "proxied") {
  throw new Error(`--listener ${listener}: write node or proxied`)
}
const names: ReadonlyArray<Name> = listener === undefined ? ["node", "proxied"] : [listener]
const end = performance.now() + Number(values.minutes) * 60_000

const { findings, reasons, tried } = await run({
  continues: (tried) => tried === 0 || performance.now() < end,
  names,
  seed: Number(values.seed),
  width: Number(values.width)
})

console.log(`${tried} mutations from seed ${values.seed}: ${findings.length} findings`)
for (const [reason, count] of reasons) console.log(`${count} x ${reason}`)
for (const { bytes, seed, what } of findings) {
  console.log(`\n--seed ${seed}: ${what}\n${JSON.stringify(bytes)}`)
}
process.exit(findings.length > 0 ? 1 : 0)
