import { globSync } from "node:fs"
import { join } from "node:path"
import { build, type BuildOptions } from "esbuild"
import { assert, describe, it } from "vitest"

const root = join(import.meta.dirname, "..")

/** The files of Flange that a browser gets with each contract of the examples. */
const allowed: Readonly<Record<string, ReadonlyArray<string>>> = {
  "recipe-api/me/MeApi.ts": [
    "src/Contract/ApiError.ts",
    "src/Contract/Authentication.ts",
    "src/Contract/Catalogue.ts",
    "src/Contract/ProblemBody.ts"
  ],
  "recipe-api/orders/OrdersApi.ts": [
    "src/Contract/ApiError.ts",
    "src/Contract/Authentication.ts",
    "src/Contract/Catalogue.ts",
    "src/Contract/Created.ts",
    "src/Contract/Guard.ts",
    "src/Contract/Location.ts",
    "src/Contract/Pagination.ts",
    "src/Contract/ProblemBody.ts",
    "src/Layers/Auth/Contract.ts"
  ],
  "recipe-api/status/StatusApi.ts": [],
  "recipe-api/strings/StringsApi.ts": [],
  "sample-api/items/ItemsApi.ts": [
    "src/Contract/ApiError.ts",
    "src/Contract/Created.ts",
    "src/Contract/Location.ts",
    "src/Contract/Pagination.ts",
    "src/Contract/ProblemBody.ts"
  ]
}

/** The files whose text is in a bundle for browsers, and its size. A module of Node fails it. */
const bundled = async (entry: Pick<BuildOptions, "entryPoints" | "stdin">) => {
  const { metafile } = await build({
    absWorkingDir: root,
    bundle: true,
    conditions: ["flange-source"],
    ...entry,
    format: "esm",
    metafile: true,
    minify: true,
    platform: "browser",
    write: false
  })
  const [output] = Object.values(metafile.outputs)
  const files = Object.entries(output!.inputs).flatMap(([file, { bytesInOutput }]) =>
    bytesInOutput > 0 ? [file] : []
  )
  return { bytes: output!.bytes, files }
}

/** Checks that a bundle has these files of Flange, and besides them the example and Effect only. */
const holds = (files: ReadonlyArray<string>, expected: ReadonlyArray<string>) => {
  const [ours, others] = [
    files.filter((file) => file.startsWith("src/")),
    files.filter((file) => !/^(examples|src)\/|node_modules\/effect\//.test(file))
  ]
  assert.deepStrictEqual(ours.toSorted(), expected)
  assert.deepStrictEqual(others, [])
}

describe("a contract for a browser", () => {
  it("has an allow-list for every contract of the examples, with files of contracts only", () => {
    const contracts = globSync("**/*Api.ts", { cwd: join(root, "examples") })
    assert.deepStrictEqual(
      contracts.map((file) => file.replaceAll("\\", "/")).toSorted(),
      Object.keys(allowed)
    )
    for (const file of Object.values(allowed).flat()) {
      assert.match(file, /^src\/(Contract\/\w+|Layers\/\w+\/Contract)\.ts$/)
    }
  })

  it.each(Object.entries(allowed))(
    "holds exactly the allowed files of Flange: %s",
    async (contract, expected) => {
      const { bytes, files } = await bundled({ entryPoints: [join("examples", contract)] })
      console.info(`${contract}: ${(bytes / 1000).toFixed(1)} kB minified`)
      holds(files, expected)
    }
  )

  it("holds the client, the defaults, the paths of routes and the form of errors besides, if it is bundled with its client", async () => {
    const contract = "sample-api/items/ItemsApi.ts"
    const contents = `
      import * as HttpApi from "effect/http-api/HttpApi"
      import { Client } from "flange/Contract"
      import { ItemsApi } from "./examples/${contract}"
      export const client = Client.make(HttpApi.make("sample-api").add(ItemsApi))`
    const { bytes, files } = await bundled({ stdin: { contents, resolveDir: root } })
    console.info(`the client of ${contract}: ${(bytes / 1000).toFixed(1)} kB minified`)
    holds(
      files.filter((file) => file !== "<stdin>"),
      [
        ...allowed[contract]!,
        ...[
          "Client",
          "ClientDefaults",
          "EnvelopedClient",
          "ErrorEnvelope",
          "PathWriter",
          "RoutePath"
        ].map((name) => `src/Contract/${name}.ts`)
      ].toSorted()
    )
  })
})
