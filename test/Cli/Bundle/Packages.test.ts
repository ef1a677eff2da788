import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { absenceOf, find, packageOf, place } from "../../../src/Cli/Bundle/Packages.ts"
import { project } from "../project.ts"

const manifest = (name: string, more: object = {}) => JSON.stringify({ name, ...more })

const installed = () =>
  project({
    "node_modules/a/node_modules/x/package.json": manifest("x", { version: "2.0.0" }),
    "node_modules/a/package.json": manifest("a", {
      dependencies: { b: "1", x: "2" },
      optionalDependencies: { other: "1" },
      peerDependencies: { "@s/peer": "1", "open-peer": "1" },
      peerDependenciesMeta: { "open-peer": { optional: true } }
    }),
    "node_modules/b/package.json": manifest("b", { dependencies: { a: "1", x: "1" } }),
    "node_modules/@s/peer/package.json": manifest("@s/peer"),
    "node_modules/x/package.json": manifest("x", { version: "1.0.0" })
  })

describe("Packages to copy", () => {
  it("have all that they need beside them, and a second version inside the package that needs it", async () => {
    const folder = await installed()
    const at = (path: string) => join(folder, "node_modules", path)
    const packages = [find(folder, "x")!, find(folder, "a")!]
    assert.deepStrictEqual(Object.fromEntries(place(packages)), {
      "node_modules/@s/peer": at("@s/peer"),
      "node_modules/a": at("a"),
      "node_modules/a/node_modules/x": at("a/node_modules/x"),
      "node_modules/b": at("b"),
      "node_modules/x": at("x")
    })
  })

  it("keep the first version that is found, and give the other one to its own package", async () => {
    const folder = await installed()
    const at = (path: string) => join(folder, "node_modules", path)
    assert.deepStrictEqual(Object.fromEntries(place([find(folder, "a")!])), {
      "node_modules/@s/peer": at("@s/peer"),
      "node_modules/a": at("a"),
      "node_modules/b": at("b"),
      "node_modules/b/node_modules/x": at("x"),
      "node_modules/x": at("a/node_modules/x")
    })
  })
})

describe("A package that is not installed", () => {
  it.each([
    ["x", "needed"],
    ["other", "optional"],
    ["@s/peer", "peer"],
    ["open-peer", "optional"],
    ["unlisted", "optional"]
  ])("%s is %s", async (name, absence) => {
    const folder = await installed()
    assert.strictEqual(absenceOf(join(folder, "node_modules/a/index.js"), name), absence)
    assert.strictEqual(absenceOf(join(folder, "src/main.ts"), name), "needed")
  })
})

it("the package of a file is that of its last node_modules", () => {
  const store = "/app/node_modules/.pnpm/@s+peer@1.0.0/node_modules/@s/peer"
  assert.deepStrictEqual(packageOf(`${store}/lib/index.js`), { folder: store, name: "@s/peer" })
  assert.isUndefined(packageOf("/app/src/main.ts"))
})
