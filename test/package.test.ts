import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { exportsOf } from "../tools/exports.ts"

const root = join(import.meta.dirname, "..")
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"))

describe("package.json", () => {
  it("exports every area, and nothing else (npm run exports)", () => {
    expect(manifest.exports).toEqual(exportsOf(root))
  })

  it("has a subpath for a battery, its contract and its test doubles, from its folder alone", () => {
    const temporary = mkdtempSync(join(tmpdir(), "flange-exports-"))
    try {
      const toy = join(root, "test/Plugin/fixtures/Toy")
      cpSync(toy, join(temporary, "src/Layers/Toy"), { recursive: true })
      expect(Object.keys(exportsOf(temporary))).toEqual([
        "./package.json",
        "./Toy",
        "./Toy/Contract",
        "./Toy/Testing",
        "./types/*"
      ])
    } finally {
      rmSync(temporary, { recursive: true })
    }
  })

  it("lists the source condition first and the default last", () => {
    for (const target of Object.values(manifest.exports)) {
      if (!Object.hasOwn(target as object, "default")) continue
      expect(Object.keys(target as object)).toEqual(["flange-source", "types", "default"])
    }
  })

  it("lists its subpaths in order", () => {
    const keys = Object.keys(manifest.exports)
    expect(keys).toEqual(keys.toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)))
  })

  it("pins every version", () => {
    for (const version of Object.values({
      ...manifest.dependencies,
      ...manifest.devDependencies
    })) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    }
  })

  it("lets one install script run", () => {
    expect(manifest.allowScripts).toEqual({ "classic-level": false, esbuild: false, node: true })
    const withScripts = Object.entries<Record<string, unknown>>(lock.packages)
      .filter(([, entry]) => entry["hasInstallScript"] === true && entry["optional"] !== true)
      .map(([name]) => name)
    // The scripts of classic-level, which a test server needs, and of esbuild only check what npm
    // installed; they are refused and not missed.
    expect(withScripts).toEqual([
      "node_modules/classic-level",
      "node_modules/esbuild",
      "node_modules/node"
    ])
  })

  it("has only scripts whose files exist", () => {
    for (const command of Object.values<string>(manifest.scripts)) {
      for (const [file] of command.matchAll(/\b(?:examples|tools)\/[\w/-]+\.ts/g)) {
        expect(existsSync(join(root, file)), file).toBe(true)
      }
    }
  })
})

describe("create-flange", () => {
  const creator = JSON.parse(
    readFileSync(join(root, "packages/create-flange/package.json"), "utf8")
  )

  it("has the version of Flange, and depends on exactly it", () => {
    expect(creator.version).toBe(manifest.version)
    expect(creator.dependencies).toEqual({ flange: manifest.version })
  })

  it("has the license, author and repository of Flange", () => {
    const of = ({ author, license, repository: { type, url } }: Record<string, any>) => [
      author,
      license,
      type,
      url
    ]
    expect(of(creator)).toEqual(of(manifest))
    const text = (path: string) => readFileSync(join(root, path), "utf8")
    expect(text("packages/create-flange/LICENSE")).toBe(text("LICENSE"))
  })
})

it("the lock names no host", () => {
  const resolved = Object.values<Record<string, unknown>>(lock.packages).map((p) => p["resolved"])
  expect(resolved.filter((value) => value !== undefined)).toEqual([])
})
