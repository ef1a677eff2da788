/** The generated parts of docs/scale.md. */
import { readFileSync, writeFileSync } from "node:fs"
import { costTable, exampleTable } from "./capacity.ts"
import { filled } from "./Markdown.ts"
import { tableOf } from "./Scenario.ts"
import { scenarios } from "./scenarios/index.ts"

/** The file of the document. */
export const file = new URL("../../docs/scale.md", import.meta.url)

/** The seed of the figures in the document. */
export const seed = 1

/** Returns a part of the document by its name. */
export const part = (name: string): string => {
  if (name === "costs") return costTable()
  if (name === "example") return exampleTable()
  const scenario = scenarios.find((each) => each.name === name)
  if (scenario === undefined)
    throw new Error(`docs/scale.md has a part "${name}", which is no scenario`)
  return tableOf(scenario.run({ replicas: undefined, seed }))
}

export const write = (): void => writeFileSync(file, filled(readFileSync(file, "utf8"), part))
