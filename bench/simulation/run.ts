/**
 * A model of a service with several replicas, in virtual time: overload, retries, deploys, partitions and
 * thundering herds. The same seed gives the same bytes. Ends with 1 if a claim of a scenario does not hold.
 * Run: node bench/simulation/run.ts [scenario ...]        Options: --seed --replicas
 *      node bench/simulation/run.ts --write              writes the tables of docs/scale.md
 */
import { parseArgs } from "node:util"
import { write } from "./Document.ts"
import { print } from "./Scenario.ts"
import { scenarios } from "./scenarios/index.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    replicas: { type: "string" },
    seed: { default: "1", type: "string" },
    write: { default: false, type: "boolean" }
  }
})

const count = (name: string, text: string) => {
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new Error(`--${name} ${text}: write a whole number from 1 to 999999999`)
  }
  return Number(text)
}

const names = scenarios.map(({ name }) => name)
const unknown = positionals.find((name) => !names.includes(name))
if (unknown !== undefined) {
  throw new Error(`There is no scenario ${unknown}: write one of ${names.join(", ")}`)
}
const seed = count("seed", values.seed)
const replicas = values.replicas === undefined ? undefined : count("replicas", values.replicas)

if (values.write) write()
else
  for (const scenario of scenarios) {
    if (positionals.length > 0 && !positionals.includes(scenario.name)) continue
    const result = scenario.run({ replicas, seed })
    console.log(print(scenario, result))
    if (result.claims.some(({ holds }) => !holds)) process.exitCode = 1
  }
