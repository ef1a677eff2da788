import { join } from "node:path"
import { build } from "esbuild"
import { assert, describe, it } from "vitest"

describe("a contract", () => {
  it("is bundled for a browser without server code", async () => {
    const { metafile } = await build({
      bundle: true,
      conditions: ["flange-source"],
      entryPoints: [join(import.meta.dirname, "../examples/sample-api/items/ItemsApi.ts")],
      format: "esm",
      metafile: true,
      platform: "browser",
      write: false
    })
    const inputs = Object.keys(metafile.inputs)
    const ours = inputs.flatMap((input) => /(?:^|\/)src\/(.*)$/.exec(input)?.[1] ?? [])
    assert.deepStrictEqual(ours.filter((file) => !file.includes("node_modules")).toSorted(), [
      "Contract/index.ts",
      "Server/ApiError.ts",
      "Server/BodyLimit.ts",
      "Server/Pagination.ts"
    ])
    assert.isFalse(inputs.some((input) => input.includes("platform-node")))
  })
})
