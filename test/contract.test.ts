import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { build, type BuildOptions, type Metafile } from "esbuild"
import * as Contract from "flange/Contract"
import { assert, describe, it } from "vitest"
import { contractOf } from "./contracts.ts"
import { snippetsOf } from "./docs.ts"

const root = join(import.meta.dirname, "..")

/** The files of Flange that a browser gets with each contract of the examples. */
const allowed: Readonly<Record<string, ReadonlyArray<string>>> = {
  "basic/me/MeApi.ts": [
    "src/Contract/ApiError.ts",
    "src/Contract/Authentication.ts",
    "src/Contract/Catalogue.ts",
    "src/Contract/ProblemBody.ts"
  ],
  "basic/products/ProductsApi.ts": [
    "src/Contract/ApiError.ts",
    "src/Contract/Authentication.ts",
    "src/Contract/Catalogue.ts",
    "src/Contract/Created.ts",
    "src/Contract/Location.ts",
    "src/Contract/Pagination.ts",
    "src/Contract/ProblemBody.ts"
  ],
  "basic/users/UsersApi.ts": [
    "src/Contract/ApiError.ts",
    "src/Contract/Created.ts",
    "src/Contract/Location.ts",
    "src/Contract/ProblemBody.ts"
  ],
  "behind-nginx/visitors/VisitorsApi.ts": [
    "src/Contract/ApiError.ts",
    "src/Contract/Catalogue.ts",
    "src/Contract/ProblemBody.ts",
    "src/Contract/RatePolicy.ts"
  ],
  "bench-api/bench/BenchApi.ts": [],
  "cluster-jobs/orders/OrdersApi.ts": ["src/Contract/ApiError.ts", "src/Contract/ProblemBody.ts"],
  "microservices/shop/OffersApi.ts": ["src/Contract/ApiError.ts", "src/Contract/ProblemBody.ts"],
  "microservices/stock/StockApi.ts": ["src/Contract/ApiError.ts", "src/Contract/ProblemBody.ts"],
  "migrate-from-express/orders/OrdersApi.ts": [],
  "multi-tenant/notes/NotesApi.ts": [
    "src/Contract/ApiError.ts",
    "src/Contract/Authentication.ts",
    "src/Contract/Catalogue.ts",
    "src/Contract/Created.ts",
    "src/Contract/Location.ts",
    "src/Contract/Pagination.ts",
    "src/Contract/ProblemBody.ts"
  ],
  "orders-aws/orders/OrdersApi.ts": [
    "src/Contract/ApiError.ts",
    "src/Contract/Authentication.ts",
    "src/Contract/BodyLimit.ts",
    "src/Contract/Catalogue.ts",
    "src/Contract/Created.ts",
    "src/Contract/DynamoErrors.ts",
    "src/Contract/Location.ts",
    "src/Contract/ObjectErrors.ts",
    "src/Contract/ProblemBody.ts",
    "src/Layers/DynamoDb/Contract.ts",
    "src/Layers/ObjectStore/Contract.ts"
  ],
  "org-overlay/hours/HoursApi.ts": [
    "src/Contract/ApiError.ts",
    "src/Contract/Authentication.ts",
    "src/Contract/Catalogue.ts",
    "src/Contract/ProblemBody.ts"
  ],
  "pages/books/BooksApi.ts": ["src/Contract/Markup.ts", "src/Layers/Templates/Contract.ts"],
  "realtime/rooms/RoomsApi.ts": [
    "src/Contract/ApiError.ts",
    "src/Contract/Channel.ts",
    "src/Contract/EventErrors.ts",
    "src/Contract/EventStream.ts",
    "src/Contract/ProblemBody.ts",
    "src/Contract/Upgrades.ts"
  ],
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
  "recipe-api/status/StatusApi.ts": ["src/Layers/Cache/Contract.ts"],
  "recipe-api/strings/StringsApi.ts": [],
  "sample-api/items/ItemsApi.ts": [
    "src/Contract/ApiError.ts",
    "src/Contract/Created.ts",
    "src/Contract/Location.ts",
    "src/Contract/Pagination.ts",
    "src/Contract/ProblemBody.ts"
  ],
  "uploads/files/FilesApi.ts": [
    "src/Contract/ApiError.ts",
    "src/Contract/Created.ts",
    "src/Contract/FileErrors.ts",
    "src/Contract/Location.ts",
    "src/Contract/ObjectErrors.ts",
    "src/Contract/OwnKeys.ts",
    "src/Contract/ProblemBody.ts",
    "src/Contract/SchemaInternals.ts",
    "src/Contract/Upload.ts",
    "src/Layers/Files/Contract.ts",
    "src/Layers/ObjectStore/Contract.ts"
  ]
}

const options = {
  absWorkingDir: root,
  bundle: true,
  conditions: ["flange-source"],
  format: "esm",
  logLevel: "silent",
  minify: true,
  platform: "browser",
  write: false
} satisfies BuildOptions

type Inputs = Metafile["outputs"][string]["inputs"]

/** Returns the files whose text is in a bundle. */
const filesOf = (inputs: Inputs): ReadonlyArray<string> =>
  Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : []))

/** The files whose text is in a bundle for browsers, and its size. A module of Node fails it. */
const bundled = async (entry: Pick<BuildOptions, "entryPoints" | "stdin">) => {
  const { metafile } = await build({ ...options, ...entry, metafile: true })
  const [output] = Object.values(metafile.outputs)
  return { bytes: output!.bytes, files: filesOf(output!.inputs) }
}

/** The files of contracts: a browser gets no others. */
const isContract = /^src\/(Contract\/\w+|Layers\/\w+\/Contract)\.ts$/

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
      assert.match(file, isContract)
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
          "ClientParts",
          "EnvelopedClient",
          "ErrorEnvelope",
          "OwnKeys",
          "PathWriter",
          "RoutePath",
          "SchemaInternals",
          "SentKey"
        ].map((name) => `src/Contract/${name}.ts`)
      ].toSorted()
    )
  })
})

const snippets = globSync(["README.md", "docs/**/*.md", "src/**/*.ts"], { cwd: root })
  .map((file) => file.replaceAll("\\", "/"))
  .toSorted()
  .flatMap((file) => snippetsOf(file, readFileSync(join(root, file), "utf8")))

const folder = join(root, ".doctest/contracts")

/** Writes every snippet, so that one can import another, and returns the entries of contracts. */
const writeContracts = () => {
  rmSync(folder, { force: true, recursive: true })
  return snippets.flatMap(({ name, path, text }) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
    const contract = contractOf(text)
    if (contract === undefined) return []
    const entry = join(".doctest/contracts", path.replace(/\.ts$/, ".contract.ts"))
    writeFileSync(join(root, entry), contract)
    return { entry, name }
  })
}

describe("the contracts in documents and comments", () => {
  const contracts = writeContracts()

  it("are found", () => {
    const documents = new Set(contracts.map(({ name }) => name.split(":")[0]))
    for (const document of ["README.md", "docs/database.md", "docs/getting-started.md"]) {
      assert.isTrue(documents.has(document), document)
    }
  })

  it("hold files of contracts only, if they are bundled for a browser", async () => {
    const { metafile } = await build({
      ...options,
      entryPoints: contracts.map(({ entry }) => entry),
      // A module of Node is an import that stays.
      external: ["node:*"],
      metafile: true,
      outdir: ".doctest/bundled",
      splitting: false
    })
    const outputs = Object.values(metafile.outputs)
    assert.strictEqual(outputs.length, contracts.length)
    const ours = new Set<string>()
    for (const { entryPoint, imports, inputs } of outputs) {
      const { name } = contracts.find(({ entry }) => entry === entryPoint)!
      const files = filesOf(inputs)
      const refused = files.filter(
        (file) => !isContract.test(file) && !/^\.doctest\/|node_modules\/effect\//.test(file)
      )
      assert.deepStrictEqual([...refused, ...imports.map(({ path }) => path)], [], name)
      files.filter((file) => file.startsWith("src/")).forEach((file) => ours.add(file))
    }
    assert.deepStrictEqual([...ours].toSorted(), [
      "src/Contract/ApiError.ts",
      "src/Contract/Authentication.ts",
      "src/Contract/BodyLimit.ts",
      "src/Contract/Catalogue.ts",
      "src/Contract/Channel.ts",
      "src/Contract/Client.ts",
      "src/Contract/ClientDefaults.ts",
      "src/Contract/ClientParts.ts",
      "src/Contract/Created.ts",
      "src/Contract/DynamoErrors.ts",
      "src/Contract/EnvelopedClient.ts",
      "src/Contract/ErrorEnvelope.ts",
      "src/Contract/EventErrors.ts",
      "src/Contract/EventStream.ts",
      "src/Contract/FileErrors.ts",
      "src/Contract/Guard.ts",
      "src/Contract/Location.ts",
      "src/Contract/Markup.ts",
      "src/Contract/ObjectErrors.ts",
      "src/Contract/OwnKeys.ts",
      "src/Contract/Pagination.ts",
      "src/Contract/PathWriter.ts",
      "src/Contract/Policy.ts",
      "src/Contract/ProblemBody.ts",
      "src/Contract/RatePolicy.ts",
      "src/Contract/RoutePath.ts",
      "src/Contract/SchemaInternals.ts",
      "src/Contract/SentKey.ts",
      "src/Contract/StrictQuery.ts",
      "src/Contract/Timeout.ts",
      "src/Contract/Upgrades.ts",
      "src/Contract/Upload.ts",
      "src/Layers/Auth/Contract.ts",
      "src/Layers/Cache/Contract.ts",
      "src/Layers/Compression/Contract.ts",
      "src/Layers/Database/Contract.ts",
      "src/Layers/DynamoDb/Contract.ts",
      "src/Layers/Files/Contract.ts",
      "src/Layers/Idempotency/Contract.ts",
      "src/Layers/ObjectStore/Contract.ts",
      "src/Layers/Overload/Contract.ts",
      "src/Layers/SecureHeaders/Contract.ts",
      "src/Layers/Templates/Contract.ts"
    ])
  })
})

describe("what contracts are written with", () => {
  const sources = [
    ...snippets,
    ...globSync("examples/**/*.ts", { cwd: root }).map((file) => ({
      name: file,
      text: readFileSync(join(root, file), "utf8")
    }))
  ]

  it("is imported from flange/Contract in documents, comments and examples", () => {
    const found = sources.flatMap(({ name, text }) =>
      [...text.matchAll(/import (?:type )?\{([^}]*)\} from "flange"/g)].flatMap(([, names]) =>
        names!
          .split(",")
          .map((each) => each.replace("type ", "").trim())
          .filter((each) => Object.hasOwn(Contract, each))
          .map((each) => `${name} imports ${each} from "flange"`)
      )
    )
    assert.deepStrictEqual(found, [])
  })
})
