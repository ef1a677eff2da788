/** What the compiler pays for an endpoint, in instantiations of types: they do not depend on the machine. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { flange, httpapi } from "../../bench/lib/Generate.ts"
import { instantiations } from "./harness/Harness.ts"

const root = join(import.meta.dirname, "../..")
const generate = { flange, httpapi }
const sizes = { large: 40, small: 20 }

const cost = (kind: "flange" | "httpapi", size: number) => {
  const name = `budget-${kind}-${size}`
  const folder = join(root, ".doctest", name)
  rmSync(folder, { force: true, recursive: true })
  mkdirSync(folder, { recursive: true })
  for (const [file, text] of Object.entries(generate[kind](size))) {
    writeFileSync(join(folder, file), text)
  }
  return instantiations({ exclude: [], extends: "../tsconfig.json", include: [name] }, name)
}

/** The types of Flange and Effect themselves are in both sizes. */
const perEndpoint = (kind: "flange" | "httpapi") =>
  (cost(kind, sizes.large) - cost(kind, sizes.small)) / (sizes.large - sizes.small)

it("an endpoint costs at most 7 000 instantiations, and less than 1.4 times one of plain HttpApi", () => {
  const own = perEndpoint("flange")
  const plain = perEndpoint("httpapi")
  expect(plain).toBeGreaterThan(0)
  expect(own).toBeLessThanOrEqual(7000)
  expect(own / plain).toBeLessThan(1.4)
})
