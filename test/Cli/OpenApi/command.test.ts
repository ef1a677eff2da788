// `flange openapi`, in a project of its own.
import { link, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, beforeAll, beforeEach, describe, it } from "vitest"
import { emptyFolder, flange, project, run, write } from "../project.ts"

const files = {
  "app.ts": `
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { App, Plugin, Preset, Route } from "flange"
import * as Auth from "flange/Auth"
import * as Config from "flange/Config"

console.log("the file of the app is loaded")

class OrdersApi extends HttpApiGroup.make("orders").add(
  HttpApiEndpoint.post("create", "/v1/orders", {
    payload: Schema.Struct({ name: Schema.String }),
    success: Schema.String
  })
) {}

const VaultConfig = Config.section("vault", { key: Config.Secret, url: Schema.String })

const Vault = Plugin.make("app:vault", {
  config: [VaultConfig],
  layer: Layer.effectDiscard(Effect.die("the vault is acquired"))
})

const AuthPlugin = Auth.plugin({
  config: [VaultConfig],
  default: Auth.chain([
    Auth.apiKey({
      validate: Auth.keys([{ identity: { subject: "acme" }, key: Redacted.make("key") }])
    })
  ])
})

const Orders = Plugin.make("app:orders", {
  routes: [
    Route.protected(OrdersApi, (handlers) =>
      handlers.handleAll({ create: ({ payload }) => Effect.succeed(payload.name) })
    )
  ]
})

export const app = App.make("shop", [...Preset.api, AuthPlugin, Vault, Orders])
`,
  "flange.toml": `
[app]
name = "Shop \\"Nord\\""
version = "1.4.0"

[server]
strictQuery = true
`,
  "served.ts": `
import { App } from "flange"
import { app } from "./app.ts"

// The vault is left out: it cannot be acquired.
const plugins = app.plugins.filter(({ id }) => id !== "app:vault")
const web = App.toWebHandler({ ...app, plugins } as never)
const response = await web.handler(new Request("http://running.example:9999/openapi.json"))
const text = await response.text()
await web.dispose()
process.stderr.write(text)
`
}

const change = async (folder: string, file: keyof typeof files, from: string, to: string) => {
  const text = await readFile(join(folder, file), "utf8")
  assert.include(text, from)
  await writeFile(
    join(folder, file),
    text.replace(from, () => to)
  )
}

describe("flange openapi", () => {
  let folder: string
  /** The file of the last release. */
  let released: string
  beforeAll(async () => {
    folder = await project(files, ["effect", "flange"])
    const { code, stderr, stdout } = await flange(folder, "openapi", "--write")
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(stdout, "openapi.json has the document of the app.\n")
    released = await readFile(join(folder, "openapi.json"), "utf8")
  })
  beforeEach(() => write(folder, { ...files, "openapi.json": released }))

  it("prints the bytes that the battery serves, without the secrets of the app", async () => {
    const variables = { FLANGE__VAULT__KEY: "k", FLANGE__VAULT__URL: "u" }
    const [{ code, stderr, stdout }, out, served] = await Promise.all([
      flange(folder, "openapi"),
      flange(folder, "openapi", "--out", "document.json"),
      run(["--conditions=flange-source", "served.ts"], { cwd: folder, env: variables })
    ])
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "the file of the app is loaded\n" })
    assert.include(served.stderr, stdout.trimEnd())
    const { info, paths } = JSON.parse(stdout)
    assert.deepStrictEqual(info, { title: 'Shop "Nord"', version: "1.4.0" })
    assert.include(paths["/v1/orders"].post.description, "a key that is not listed")
    assert.notInclude(stdout, "running.example")
    assert.strictEqual(out.stdout, "")
    assert.strictEqual(
      await readFile(join(folder, "document.json"), "utf8"),
      stdout.replace(/\n$/, "")
    )
  })

  it("leaves out the limit of wrong credentials if the configuration does", async () => {
    const statuses = (text: string) =>
      Object.keys(JSON.parse(text).paths["/v1/orders"].post.responses)
    assert.include(statuses(released), "429")
    await change(folder, "flange.toml", "[server]", "[guessing]\nenabled = false\n\n[server]")
    assert.notInclude(statuses((await flange(folder, "openapi")).stdout), "429")
  })

  it("prints the document of an app without the battery, and refuses contracts that have none", async () => {
    await change(folder, "app.ts", "...Preset.api, ", "")
    const alone = await flange(folder, "openapi")
    assert.deepStrictEqual(Object.keys(JSON.parse(alone.stdout).paths), ["/v1/orders"])
    await change(
      folder,
      "app.ts",
      'HttpApiEndpoint.post("create"',
      'HttpApiEndpoint.get("read", "/v1/orders/:id", { params: { id: Schema.String } }), HttpApiEndpoint.delete("remove", "/v1/orders/:orderId", { params: { orderId: Schema.String } }), HttpApiEndpoint.post("create"'
    )
    await change(
      folder,
      "app.ts",
      "handleAll({",
      "handleAll({ read: () => Effect.void, remove: () => Effect.void,"
    )
    const refused = await flange(folder, "openapi")
    assert.include(refused.stderr, "with another name for a parameter, which OpenAPI forbids")
    assert.deepStrictEqual([refused.code, refused.stdout], [1, ""])
  })

  it("accepts the document of the file, in any format", async () => {
    const text = await readFile(join(folder, "openapi.json"), "utf8")
    assert.include(text, '\n  "openapi": "3.1.0",\n')
    await writeFile(join(folder, "openapi.json"), JSON.stringify(JSON.parse(text)))
    const { code, stdout } = await flange(folder, "openapi", "--check")
    assert.deepStrictEqual([code, stdout], [0, "The document is that of openapi.json.\n"])
  })

  it("fails if clients break and the version is not bumped, and passes if it is", async () => {
    await change(
      folder,
      "app.ts",
      "{ name: Schema.String }",
      "{ name: Schema.String, total: Schema.Int }"
    )
    await change(folder, "app.ts", "  success: Schema.String\n", '  success: Schema.Literal("a")\n')
    const differences = [
      "Breaks clients:",
      "  - POST /v1/orders (orders.create): the body requires a new field `total`: clients that do not send it get 400.",
      "Compatible:",
      '  - POST /v1/orders (orders.create): the reply 200 is one of `"a"` now, and was a string.'
    ]
    const main = join(import.meta.dirname, "../../../src/Cli/main.ts")
    const args = ["--conditions=flange-source", main, "openapi", "--check", "--json"]
    const [failed, minor] = await Promise.all([
      flange(folder, "openapi", "--check"),
      run(args, { cwd: folder, env: { APP_VERSION: "1.5.0" } })
    ])
    assert.deepStrictEqual(failed.stdout.split("\n"), [
      ...differences,
      "The version was 1.4.0 and is 1.4.0. The changes ask for 2.0.0 (major).",
      ""
    ])
    assert.include(
      failed.stderr,
      "Clients break, and the version 1.4.0 does not tell them. Set version in section app of flange.toml, or the variable APP_VERSION, to 2.0.0, or take the changes back"
    )
    assert.strictEqual(failed.code, 1)
    const { bump, changes, versions } = JSON.parse(minor.stdout)
    assert.deepStrictEqual(bump, { isDone: false, step: "major", version: "2.0.0" })
    assert.deepStrictEqual(versions, { after: "1.5.0", before: "1.4.0" })
    assert.deepStrictEqual(changes[1], {
      kind: "compatible",
      message: differences[3]!.slice("  - ".length),
      operation: "POST /v1/orders (orders.create)",
      weaker: false
    })
    assert.strictEqual(minor.code, 1)
    await change(folder, "flange.toml", "1.4.0", "build-77")
    const text = await flange(folder, "openapi", "--check")
    assert.include(text.stderr, 'the versions "1.4.0" and "build-77" cannot tell them')
    assert.strictEqual(text.code, 1)
    await change(folder, "flange.toml", "build-77", "2.0.0")
    const passed = await flange(folder, "openapi", "--check")
    assert.include(
      passed.stdout,
      "The version was 1.4.0 and is 2.0.0, as the changes ask for (major).\n"
    )
    assert.strictEqual(passed.code, 0)
  })

  it("lists what became public apart, and passes", async () => {
    await change(folder, "app.ts", "Route.protected(", "Route.public(")
    const { code, stdout } = await flange(folder, "openapi", "--check")
    assert.include(
      stdout,
      "Less protects them:\n  - POST /v1/orders (orders.create): lets in callers without credentials now. It asked for api-key.\n"
    )
    assert.strictEqual(code, 0)
  })

  it("compares with another file, and refuses one that is absent or no document", async () => {
    const [old, now] = [join(folder, "old.json"), join(folder, "é.json")]
    await writeFile(now, "{}")
    await link(now, old)
    const [absent] = await Promise.all([
      flange(folder, "openapi", "--write", "--against", "last release/é.json"),
      flange(folder, "openapi", "--write", "--against", "é.json")
    ])
    assert.include(absent.stderr, "last release/é.json cannot be written: ENOENT")
    // A process that is killed while it writes leaves the old file.
    assert.notStrictEqual((await stat(now)).ino, (await stat(old)).ino)
    const same = await flange(folder, "openapi", "--check", "--against", "é.json")
    assert.strictEqual(same.stdout, "The document is that of é.json.\n")
    const refusals = [
      ["none.json", undefined, "Make it and commit it: flange openapi --write --against none.json"],
      ["half.json", '{"openapi": "3.1', "half.json is not JSON: "],
      ["list.json", "[1]", "list.json is not an OpenAPI document"],
      ["old.json", '{"openapi":"3.0.3","paths":{}}', "of version 3.0.3, and flange compares"],
      ["two.json", '{"swagger":"2.0","paths":{}}', "two.json is not an OpenAPI document"]
    ] as const
    await Promise.all(
      refusals.map(async ([file, text, message]) => {
        if (text !== undefined) await writeFile(join(folder, file), text)
        const refused = await flange(folder, "openapi", "--check", "--against", file)
        assert.include(refused.stderr, message)
        assert.deepStrictEqual([refused.code, refused.stdout], [2, ""])
      })
    )
    // A document whose members are of no use is compared as far as it goes.
    await writeFile(
      join(folder, "odd.json"),
      '{"openapi":"3.1.0","info":7,"paths":{"/v1/orders":{"post":[],"get":null},"/b":"c"}}'
    )
    const odd = await flange(folder, "openapi", "--check", "--against", "odd.json", "--json")
    assert.strictEqual(JSON.parse(odd.stdout).versions.before, "none")
  })

  it("refuses several outputs, and --against alone, with exit code 2", async () => {
    const [alone, both, nowhere, out] = await Promise.all([
      flange(folder, "openapi", "--against", "a.json"),
      flange(folder, "openapi", "--check", "--write"),
      flange(await emptyFolder(), "openapi"),
      flange(folder, "openapi", "--write", "--out", "a.json")
    ])
    assert.include(both.stderr, "--check and --write are different outputs: write one of them")
    assert.include(out.stderr, "--write and --out are different outputs")
    assert.include(alone.stderr, "--against names the file of --check and --write")
    assert.include(nowhere.stderr, "No app was found in ")
    assert.deepStrictEqual(
      [alone, both, nowhere, out].map(({ code, stdout }) => [code, stdout]),
      Array.from({ length: 4 }, () => [2, ""])
    )
  })
})
