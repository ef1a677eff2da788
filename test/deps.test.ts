import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { expect, it } from "vitest"
import { problems } from "../tools/deps.ts"

const check = (files: Record<string, string>) => {
  const root = mkdtempSync(join(tmpdir(), "flange-deps-"))
  try {
    const manifest = {
      dependencies: { effect: "*" },
      name: "flange",
      peerDependencies: { esbuild: "*", jose: "*" }
    }
    writeFileSync(join(root, "package.json"), JSON.stringify(manifest))
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, "src", name)), { recursive: true })
      writeFileSync(join(root, "src", name), text)
    }
    return problems(root)
  } finally {
    rmSync(root, { recursive: true })
  }
}

const empty = "export {}"

it("lets the tree import as the design says", () => {
  const found = check({
    "App.ts": `export * from "./Server/Host.ts"`,
    "Config/index.ts": `import "node:fs"`,
    "Contract/A.ts": `import "effect/Effect"\nimport "./B.ts"`,
    "Contract/B.ts": empty,
    "Layers/Auth/Contract.ts": `import "effect/Effect"\nimport "../../Contract/A.ts"`,
    "Layers/Auth/index.ts": `import "jose"\nimport "../../Server/Route/A.ts"\nimport "./Contract.ts"\nimport "./Token.ts"`,
    "Layers/Auth/Token.ts": empty,
    "Layers/Health/index.ts": `import "../../Plugin/index.ts"`,
    "Plugin/Boot/A.ts": `import "../index.ts"`,
    "Plugin/index.ts": `import "../Config/index.ts"\nimport "effect/Effect"`,
    "Preset.ts": `export * from "./Layers/Health/index.ts"`,
    "Server/Codec/A.ts": `import "../Exchange/A.ts"\nimport "../Route/A.ts"`,
    "Server/Exchange/A.ts": `import "../ServerConfig.ts"`,
    "Server/Host.ts": `import "./Listener/A.ts"\nimport "./Codec/A.ts"`,
    "Server/Listener/A.ts": `import "../Exchange/A.ts"`,
    "Server/Route/A.ts": `import "../Exchange/A.ts"`,
    "Server/ServerConfig.ts": `import "../Config/index.ts"`,
    "Testing/index.ts": `import "../App.ts"`,
    "index.ts": `export * from "./App.ts"\nexport * from "./Preset.ts"`
  })
  expect(found).toEqual([])
})

it.each([
  [
    "Config imports an area",
    "Config/A.ts",
    `import "../Plugin/A.ts"`,
    "Config may not import Plugin"
  ],
  [
    "Plugin imports Server",
    "Plugin/B.ts",
    `import "../Server/A.ts"`,
    "Plugin may not import Server"
  ],
  [
    "a plugin the boot engine",
    "Plugin/B.ts",
    `import "./Boot/A.ts"`,
    "Plugin may not import Plugin/Boot: arrows run down only"
  ],
  [
    "a type",
    "Plugin/B.ts",
    `import type { A } from "../Server/A.ts"`,
    "Plugin may not import Server"
  ],
  [
    "a type query",
    "Plugin/B.ts",
    `type A = import("../Server/A.ts").A`,
    "Plugin may not import Server"
  ],
  ["import()", "Plugin/B.ts", `await import("../Server/A.ts")`, "Plugin may not import Server"],
  [
    "Server imports a battery",
    "Server/B.ts",
    `export * from "../Layers/A/A.ts"`,
    "Server may not import Layers/A"
  ],
  [
    "a battery another",
    "Layers/B/B.ts",
    `import "../A/A.ts"`,
    "Layers/B may not import another battery (Layers/A)"
  ],
  [
    "a battery a codec",
    "Layers/A/B.ts",
    `import "../../Server/Codec/A.ts"`,
    "Layers/A may not import Server/Codec"
  ],
  [
    "an exchange a route",
    "Server/Exchange/B.ts",
    `import "../Route/A.ts"`,
    "Server/Exchange may not import Server/Route: arrows run down only"
  ],
  [
    "a room the host",
    "Server/Codec/B.ts",
    `import "../A.ts"`,
    "Server/Codec may not import Server: arrows run down only"
  ],
  [
    "Contract imports an area",
    "Contract/B.ts",
    `import "../Config/A.ts"`,
    "Contract may not import Config"
  ],
  [
    "Contract imports a battery's contract",
    "Contract/B.ts",
    `import "../Layers/A/Contract.ts"`,
    "Contract may not import Layers/A"
  ],
  [
    "Contract imports a module of Node",
    "Contract/B.ts",
    `import "node:crypto"`,
    "may import no package but effect"
  ],
  [
    "a battery's contract its own folder",
    "Layers/A/Contract.ts",
    `import "./A.ts"`,
    "may import src/Contract only"
  ],
  [
    "a battery's contract an area",
    "Layers/A/Contract.ts",
    `import type { A } from "../../Server/Route/A.ts"`,
    "may import src/Contract only"
  ],
  [
    "a battery's contract a module of Node",
    "Layers/A/Contract.ts",
    `import "node:crypto"`,
    "may import no package but effect"
  ],
  [
    "a battery's contract a peer",
    "Layers/Auth/Contract.ts",
    `import "jose"`,
    "may import no package but effect"
  ],
  ["index imports Testing", "index.ts", `import "./Testing/A.ts"`, "index may not import Testing"],
  ["Testing imports Cli", "Testing/B.ts", `import "../Cli/A.ts"`, "Testing may not import Cli"],
  [
    "Testing imports a battery",
    "Testing/B.ts",
    `import "../Layers/A/A.ts"`,
    "Testing may not import Layers/A"
  ],
  [
    "Testing imports what imports batteries",
    "Testing/B.ts",
    `import "../Preset.ts"`,
    "Testing may not import Preset"
  ],
  ["App imports a battery", "App.ts", `import "./Layers/A/A.ts"`, "App may not import Layers/A"],
  ["the barrel", "Plugin/B.ts", `import { Effect } from "effect"`, "not the barrel"],
  [
    "Server a peer",
    "Server/B.ts",
    `import "jose/jwt"`,
    "only a battery, a listener or Cli may import jose"
  ],
  [
    "a battery the peer of another",
    "Layers/B/B.ts",
    `import "esbuild"`,
    "only Cli may import esbuild"
  ],
  ["an unlisted package", "Server/B.ts", `import "left-pad"`, "left-pad is not in dependencies"],
  ["its own name", "Server/B.ts", `import "flange/Config"`, "relative paths"],
  ["no such file", "Server/B.ts", `import "./C.ts"`, "does not exist"],
  ["an unknown area", "Other/B.ts", `import "../Plugin/A.ts"`, "not a known area"]
])("refuses: %s", (_, file, text, message) => {
  const found = check({
    "Cli/A.ts": `import "esbuild"`,
    "Config/A.ts": empty,
    "Layers/A/A.ts": empty,
    "Layers/A/Contract.ts": empty,
    "Plugin/A.ts": empty,
    "Plugin/Boot/A.ts": empty,
    "Preset.ts": `import "./Layers/A/A.ts"`,
    "Server/A.ts": empty,
    "Server/Codec/A.ts": empty,
    "Server/Route/A.ts": empty,
    "Testing/A.ts": empty,
    [file]: text
  })
  expect(found).toEqual([expect.stringContaining(message)])
  expect(found[0]).toContain(`src/${file}:1: `)
})

it("finds a cycle, also of types only, with its path", () => {
  const found = check({
    "Plugin/A.ts": `import type { B } from "./B.ts"\nexport type A = B`,
    "Plugin/B.ts": `export type { C as B } from "./C.ts"`,
    "Plugin/C.ts": `export type C = import("./A.ts").A`
  })
  expect(found).toEqual([
    "import cycle: src/Plugin/A.ts -> src/Plugin/B.ts -> src/Plugin/C.ts -> src/Plugin/A.ts"
  ])
})
