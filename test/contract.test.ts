import { join } from "node:path"
import { build } from "esbuild"
import { assert, describe, it } from "vitest"

/** The files that a browser gets of a contract: what its bundle has text of. */
const bundled = async (contract: string): Promise<ReadonlyArray<string>> => {
  const { metafile } = await build({
    absWorkingDir: join(import.meta.dirname, ".."),
    bundle: true,
    conditions: ["flange-source"],
    entryPoints: [join(import.meta.dirname, "../examples", contract)],
    format: "esm",
    metafile: true,
    platform: "browser",
    write: false
  })
  const [output] = Object.values(metafile.outputs)
  return Object.entries(output!.inputs).flatMap(([file, { bytesInOutput }]) =>
    bytesInOutput > 0 ? [file] : []
  )
}

const ours = (files: ReadonlyArray<string>) =>
  files.filter((file) => file.startsWith("src/")).toSorted()

describe("a contract", () => {
  it("is bundled for a browser without server code", async () => {
    const files = await bundled("sample-api/items/ItemsApi.ts")
    assert.deepStrictEqual(ours(files), [
      "src/Contract/ApiError.ts",
      "src/Contract/Created.ts",
      "src/Contract/Pagination.ts",
      "src/Contract/ProblemBody.ts"
    ])
    assert.isFalse(files.some((file) => file.includes("platform-node")))
  })

  it("that says its callers are authenticated has the errors of that, and nothing else", async () => {
    assert.deepStrictEqual(ours(await bundled("recipe-api/me/MeApi.ts")), [
      "src/Contract/ApiError.ts",
      "src/Contract/Authentication.ts",
      "src/Contract/Catalogue.ts",
      "src/Contract/ProblemBody.ts"
    ])
  })

  it("with guards has neither routes, listeners nor what verifies tokens", async () => {
    const files = await bundled("recipe-api/orders/OrdersApi.ts")
    const server =
      /jose|platform-node|Jwks|JwtVerifier|Listener|Route\/(?!ContractMiddleware)|src\/(?:App|Plugin)/
    assert.deepStrictEqual(
      files.filter((file) => server.test(file.replace(/node_modules\/effect\/.*/, ""))),
      []
    )
  })
})
