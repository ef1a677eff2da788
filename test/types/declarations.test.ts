/** The declaration files that the compiler writes for users of the package. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { typeCheck } from "./harness/Harness.ts"

const root = join(import.meta.dirname, "../..")
const consumer = join(root, ".doctest/consumer")
const installed = join(consumer, "node_modules/flange")

it("a package that exports apps and plugins can write its declarations", () => {
  rmSync(consumer, { force: true, recursive: true })
  mkdirSync(installed, { recursive: true })
  writeFileSync(join(consumer, "package.json"), '{ "name": "consumer", "type": "module" }')
  cpSync(join(root, "package.json"), join(installed, "package.json"))
  cpSync(join(root, "examples"), join(consumer, "src"), { recursive: true })
  const built = typeCheck(
    {
      compilerOptions: {
        declarationMap: false,
        emitDeclarationOnly: true,
        outDir: join(installed, "dist"),
        rootDir: join(root, "src")
      },
      extends: "../tsconfig.build.json",
      include: ["../src"]
    },
    "declarations-build"
  )
  expect(built).toEqual([])
  const errors = typeCheck(
    {
      compilerOptions: {
        customConditions: [],
        declaration: true,
        emitDeclarationOnly: true,
        noEmit: false,
        outDir: join(consumer, "dist"),
        rootDir: join(consumer, "src")
      },
      extends: "../tsconfig.json",
      include: ["consumer/src"]
    },
    "declarations"
  )
  expect(errors).toEqual([])
  const app = readFileSync(join(consumer, "dist/recipe-api/app.d.ts"), "utf8")
  expect(app).toContain('import("flange/types/Server/Route/Route").Protected<')
})
