// `flange client`: the package is installed where the sources of the app are not.
import { execFile, spawn } from "node:child_process"
import { cp, mkdir, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { build } from "esbuild"
import { assert, beforeAll, describe, it } from "vitest"
import { typeCheck } from "../../types/harness/Harness.ts"
import { listings } from "../listings.ts"
import { emptyFolder, flange, node, project, run, write } from "../project.ts"
import { consumer, files } from "./fixtures.ts"

const root = join(import.meta.dirname, "../../..")

/** Flange as it is installed: with its sources and its declaration files. */
let installed: string

const install = async (folder: string): Promise<void> => {
  await mkdir(join(folder, "node_modules/@types"), { recursive: true })
  await symlink(installed, join(folder, "node_modules/flange"))
  for (const name of ["@types/node", "effect", "esbuild", "typescript"]) {
    await symlink(
      await realpath(join(root, "node_modules", name)),
      join(folder, "node_modules", name)
    )
  }
}

beforeAll(async () => {
  installed = await emptyFolder()
  await cp(join(root, "package.json"), join(installed, "package.json"))
  await symlink(join(root, "src"), join(installed, "src"))
  await mkdir(join(installed, "node_modules"))
  await symlink(
    await realpath(join(root, "node_modules/effect")),
    join(installed, "node_modules/effect")
  )
  const compilerOptions = {
    declarationMap: false,
    emitDeclarationOnly: true,
    outDir: join(installed, "dist"),
    rootDir: join(root, "src")
  }
  const config = { compilerOptions, extends: "../tsconfig.build.json", include: ["../src"] }
  assert.deepStrictEqual(typeCheck(config, "client-build"), [])
}, 300_000)

/** Creates the app, with some files changed. */
const shop = async (changes: Readonly<Record<string, string>> = {}): Promise<string> => {
  const folder = await project({ ...files, ...changes })
  await install(folder)
  return folder
}

/** Packs a package with npm, and installs it in a project of its own. */
const consumerOf = async (
  packageFolder: string,
  name: string,
  program: string
): Promise<string> => {
  const packed = await new Promise<string>((resolve, reject) => {
    execFile("npm", ["pack", "--json"], { cwd: packageFolder }, (error, stdout) => {
      if (error === null) resolve(JSON.parse(stdout)[0].filename)
      else reject(error)
    })
  })
  const folder = await project({
    "main.ts": program,
    "package.json": '{ "name": "consumer", "type": "module" }',
    "tsconfig.json": files["tsconfig.json"]
  })
  await install(folder)
  const to = join(folder, "node_modules", name)
  await mkdir(to, { recursive: true })
  await new Promise<void>((resolve, reject) => {
    execFile(
      "tar",
      ["-xzf", join(packageFolder, packed), "-C", to, "--strip-components", "1"],
      (error) => (error === null ? resolve() : reject(error))
    )
  })
  return folder
}

const typeErrors = async (folder: string): Promise<string> =>
  (await run([join(root, "node_modules/typescript/bin/tsc"), "-p", folder], { cwd: folder })).stdout

/** Starts a program, and returns the address that it prints, and the function that ends it. */
const started = (cwd: string): Promise<{ readonly address: string; readonly end: () => void }> =>
  new Promise((resolve, reject) => {
    const child = spawn(node, ["--conditions=flange-source", "main.ts"], { cwd })
    let output = ""
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const address = /listens on (\S+)/.exec(output)?.[1]
      if (address !== undefined) resolve({ address, end: () => child.kill() })
    }
    child.stdout.on("data", read)
    child.stderr.on("data", read)
    child.on("exit", () => reject(new Error(output)))
  })

describe("the package of a client", () => {
  let app: string
  let user: string
  beforeAll(async () => {
    app = await shop()
    const args = ["--name", "@acme/shop-client", "--out", "packages/my client"]
    const { code, stderr, stdout } = await flange(app, "client", ...args)
    assert.strictEqual(
      stdout,
      [
        "@acme/shop-client 1.4.0 exports Order, OrderId, OrderNotFound, OrdersApi, ShopErrors, User, Users, api, make",
        ...[
          "index.d.ts",
          "index.js",
          "package.json",
          "types/ShopErrors.d.ts",
          "types/orders/Order.d.ts",
          "types/orders/OrdersApi.d.ts",
          "types/users/UsersApi.d.ts"
        ].map((file) => `packages/my client/${file}`),
        ""
      ].join("\n")
    )
    assert.deepStrictEqual([code, stderr], [0, ""])
    user = await consumerOf(join(app, "packages/my client"), "@acme/shop-client", consumer)
  }, 300_000)

  it("has the contracts, schemas and errors, and no server code", async () => {
    const folder = join(user, "node_modules/@acme/shop-client")
    const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"))
    const { dependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
    assert.deepInclude(manifest, {
      dependencies: {},
      name: "@acme/shop-client",
      peerDependencies: { effect: dependencies.effect, flange: "^0.1.0" },
      type: "module",
      version: "1.4.0"
    })
    const names = await readdir(folder, { recursive: true })
    for (const name of names.filter((name) => /\.(?:js|ts)$/.test(name))) {
      const text = await readFile(join(folder, name), "utf8")
      assert.notMatch(text, /OrdersRepo|secretOfTheServer|Plugin|#orders/, name)
    }
    // The folder that the compiler used is removed.
    assert.notInclude(await readdir(app), ".flange")
  })

  it("type-checks a program that uses it, and refuses a wrong one", async () => {
    assert.strictEqual(await typeErrors(user), "")
    const wrong = [
      ['sku: "lamp"', 'sky: "lamp"', "'sky' does not exist in type"],
      ["{ id: OrderId.make(99) }", "{ id: 99 }", "not assignable to type 'Brand<\"OrderId\">'"],
      ["shop.users.me()", "shop.users.you()", "Property 'you' does not exist"],
      ["order.lines[0]?.amount", "order.lines[0]?.price", "Property 'price' does not exist"],
      ["baseUrl: process.argv[2]!", "", "Property 'baseUrl' is missing"]
    ] as const
    await write(
      user,
      Object.fromEntries(
        wrong.map(([from, to], i) => {
          assert.include(consumer, from)
          return [`wrong${i}.ts`, consumer.replace(from, () => to)]
        })
      )
    )
    const errors = (await typeErrors(user)).split(/\n(?=\S)/)
    for (const [i, [, , message]] of wrong.entries()) {
      assert.isDefined(
        errors.find((line) => line.startsWith(`wrong${i}.ts`) && line.includes(message)),
        `${message} is not in\n${errors.join("\n")}`
      )
    }
    assert.notInclude(errors.join("\n"), "main.ts")
  })

  it("calls the running app", async () => {
    const { address, end } = await started(app)
    const { stderr, stdout } = await run(["--conditions=flange-source", "main.ts", address], {
      cwd: user
    })
    end()
    assert.strictEqual(stderr, "")
    assert.deepStrictEqual(JSON.parse(stdout), {
      amount: 2,
      file: "a/b",
      isClass: true,
      limit: 50,
      location: "/v1/orders/1",
      me: "Ada",
      message: "Order 99 does not exist"
    })
  })

  it("is bundled for a browser with the contract part of Flange alone", async () => {
    const { metafile } = await build({
      absWorkingDir: user,
      bundle: true,
      conditions: ["flange-source"],
      entryPoints: ["main.ts"],
      format: "esm",
      logLevel: "silent",
      metafile: true,
      platform: "browser",
      write: false
    })
    const inputs = Object.keys(metafile.inputs)
    const ofFlange = inputs.filter((file) => file.includes("src/") && !file.includes("effect/"))
    assert.isNotEmpty(ofFlange)
    for (const file of ofFlange) assert.match(file, /\/src\/(?:Contract\/|Layers\/\w+\/Contract)/)
    assert.deepStrictEqual(
      inputs.filter((file) => /platform-node|OrdersRepo|Plugin\.ts/.test(file)),
      []
    )
  })

  it("is written again over itself, with the members of package.json that others added", async () => {
    const folder = join(app, "packages/my client")
    const read = async (): Promise<Record<string, unknown>> =>
      JSON.parse(await readFile(join(folder, "package.json"), "utf8"))
    await writeFile(
      join(folder, "package.json"),
      JSON.stringify({ ...(await read()), license: "MIT", version: "0.0.1" })
    )
    await write(folder, { "README.md": "Mine", "types/old.d.ts": "export {}" })
    await rm(join(folder, "index.js"))
    const out = ["--out", "packages/my client", "--without", "users", "--json"]
    const { stdout } = await flange(app, "client", ...out)
    assert.deepStrictEqual(JSON.parse(stdout).exports, [
      "Order",
      "OrderId",
      "OrderNotFound",
      "OrdersApi",
      "ShopErrors",
      "api",
      "make"
    ])
    assert.deepInclude(await read(), { license: "MIT", name: "shop-client", version: "1.4.0" })
    const names = await readdir(folder, { recursive: true })
    assert.includeMembers(names, ["README.md", "index.js"])
    assert.notIncludeMembers(names, ["types/old.d.ts", "types/users/UsersApi.d.ts"])
  })

  it("stays whole if the next one cannot be written", async () => {
    const folder = join(app, "packages/kept")
    const out = ["--out", "packages/kept"]
    await flange(app, "client", ...out)
    await rm(join(folder, "index.js"))
    // Nothing can be written in its place.
    await write(folder, { "index.js/file": "", "types/old.d.ts": "export {}" })
    const texts = async () => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      const files = entries.filter((entry) => entry.isFile())
      return Promise.all(
        files.map(async ({ name, parentPath }) => [
          join(parentPath, name),
          await readFile(join(parentPath, name), "utf8")
        ])
      )
    }
    const before = await texts()
    const { code, stderr } = await flange(app, "client", ...out, "--without", "users")
    assert.strictEqual(code, 2)
    assert.match(stderr, /packages\/kept cannot be written: /)
    assert.sameDeepMembers(await texts(), before)
  })
})

describe("flange client", () => {
  it("prints for the sample what the guide shows", async () => {
    const folder = await emptyFolder()
    await cp(join(root, "examples/sample-api"), folder, { recursive: true })
    await install(folder)
    const { args, output } = (await listings()).find(({ args }) => args.startsWith("client "))!
    const { stderr, stdout } = await flange(folder, ...args.split(" "))
    assert.strictEqual(stdout, output, stderr)
  })

  it("lists other packages that the contracts import, in the versions that are installed", async () => {
    const folder = await shop({
      "users/UsersApi.ts": files["users/UsersApi.ts"]
        .replace("name: Schema.String", "balance: Money, name: Schema.String")
        .concat('import { Money } from "@acme/money/schema"\nexport const zero: Money = 0\n'),
      "users/UsersPlugin.ts": files["users/UsersPlugin.ts"].replace(
        "{ name:",
        "{ balance: 1, name:"
      )
    })
    await write(join(folder, "node_modules/@acme/money"), {
      "package.json": JSON.stringify({
        exports: { "./schema": { types: "./schema.d.ts", default: "./schema.js" } },
        name: "@acme/money",
        type: "module",
        version: "2.3.1"
      }),
      "schema.d.ts":
        'import * as Schema from "effect/Schema"\nexport declare const Money: Schema.Int\nexport type Money = number\n',
      "schema.js": 'import * as Schema from "effect/Schema"\nexport const Money = Schema.Int\n'
    })
    const { code, stderr } = await flange(folder, "client")
    assert.deepStrictEqual([code, stderr], [0, ""])
    const { dependencies } = JSON.parse(await readFile(join(folder, "client/package.json"), "utf8"))
    assert.deepStrictEqual(dependencies, { "@acme/money": "^2.3.1" })
    const bundle = await readFile(join(folder, "client/index.js"), "utf8")
    assert.include(bundle, 'from "@acme/money/schema"')
  })

  it("leaves out groups with the annotation OpenApi.Exclude", async () => {
    const folder = await shop({
      "users/UsersApi.ts": files["users/UsersApi.ts"]
        .replace("success: User })\n)", "success: User })\n).annotate(OpenApi.Exclude, true)")
        .concat('import * as OpenApi from "effect/http-api/OpenApi"\n')
    })
    const { stderr, stdout } = await flange(folder, "client", "--json")
    assert.strictEqual(stderr, "")
    assert.deepStrictEqual(JSON.parse(stdout).exports, [
      "Order",
      "OrderId",
      "OrderNotFound",
      "OrdersApi",
      "ShopErrors",
      "api",
      "make"
    ])
  })

  it("makes a client of an app in JavaScript without a tsconfig.json, whatever its id is", async () => {
    const folder = await emptyFolder()
    await write(folder, {
      "main.js": `
import * as Effect from "effect/Effect"
import { App, Plugin, Route } from "flange"
import Pings, { Pong } from "./Pings.js"

const served = Route.public(Pings, (handlers) => handlers.handleAll({ ping: () => Effect.succeed("pong") }))
App.run(App.make('Café "É"\\n2', [Plugin.make("app:pings", { routes: [served] })]))
`,
      "package.json": '{ "type": "module" }',
      "Pings.js": `
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"

export const Pong = Schema.Literal("pong")
export default class Pings extends HttpApiGroup.make("pings").add(
  HttpApiEndpoint.get("ping", "/ping", { success: Pong })
) {}
`
    })
    await install(folder)
    const unnamed = await flange(folder, "client")
    assert.include(unnamed.stderr, "is not a name of a package. Write: --name @acme/orders-client")
    const { code, stderr, stdout } = await flange(folder, "client", "--name", "pings")
    assert.deepStrictEqual([code, stderr], [0, ""])
    assert.include(stdout, "pings 0.0.0 exports Pong, api, make\n")
    const user = await consumerOf(
      join(folder, "client"),
      "pings",
      `import { make } from "pings"\nexport const pings = make({ baseUrl: "http://localhost" })\n`
    )
    assert.strictEqual(await typeErrors(user), "")
  })
})

describe("flange client refuses", () => {
  /** Fails to make the client of a changed app. Nothing is written. */
  const refused = async (
    changes: Readonly<Record<string, string>>,
    exitCode: number,
    message: string,
    ...args: ReadonlyArray<string>
  ) => {
    const folder = await shop(changes)
    const { code, stderr, stdout } = await flange(folder, "client", ...args)
    assert.include(stderr, message)
    assert.deepStrictEqual([code, stdout], [exitCode, ""])
    const names = await readdir(folder)
    assert.notIncludeMembers(names, ["client", ".flange"])
  }

  const changed = (file: keyof typeof files, from: string, to: string) => {
    assert.include(files[file], from)
    return { [file]: files[file].replace(from, () => to) }
  }

  it("a contract that imports server code, and names the chain", async () => {
    const changes = {
      ...changed(
        "orders/Order.ts",
        'import * as Schema from "effect/Schema"',
        'import * as Schema from "effect/Schema"\nimport { maxLines } from "../limits.ts"\nexport { maxLines }'
      ),
      "limits.ts":
        'import { secretOfTheServer } from "./orders/OrdersRepo.ts"\nexport const maxLines = secretOfTheServer().length\n'
    }
    await refused(
      changes,
      1,
      "OrdersApi imports server code, which a client cannot have: orders/OrdersApi.ts → orders/Order.ts → limits.ts → orders/OrdersRepo.ts → node:fs"
    )
  })

  it("a contract that imports flange itself", async () => {
    await refused(
      changed(
        "orders/OrdersApi.ts",
        'ApiError, Created, Pagination } from "flange/Contract"',
        'ApiError, Created, Pagination } from "flange"'
      ),
      1,
      "OrdersApi is in orders/OrdersApi.ts, which imports flange: it would be server code in the client."
    )
  })

  it("types of server code", async () => {
    const changes = changed(
      "users/UsersApi.ts",
      "export const User",
      'export type Fill = import("flange").Plugin.Any\nexport type Secret = typeof import("../orders/OrdersRepo.ts")\nexport const User'
    )
    await refused(changes, 1, "Users is in users/UsersApi.ts, which imports flange")
  })

  it("a contract in the file of its plugin, and says where to move it", async () => {
    const changes = {
      "users/UsersPlugin.ts":
        files["users/UsersApi.ts"] +
        files["users/UsersPlugin.ts"].replace(/import \{ Users \}.*/, "")
    }
    await refused(
      changes,
      1,
      "Users is in users/UsersPlugin.ts, which imports flange: it would be server code in the client. Move the contract, with its schemas and errors, to a file of its own, such as users/Users.ts"
    )
  })

  it("a contract that no module exports, unless it is left out", async () => {
    const changes = {
      "users/UsersPlugin.ts": (
        files["users/UsersApi.ts"] +
        files["users/UsersPlugin.ts"].replace(/import \{ Users \}.*/, "")
      ).replaceAll(/export const Users? /g, (text) => text.replace("export ", ""))
    }
    await refused(
      changes,
      1,
      'No module of the app exports the contract of the group "users" (plugin "app:users"). Move it to a file of its own and export it, such as users/UsersApi.ts, or leave it out: --without users'
    )
    const folder = await shop(changes)
    const { code } = await flange(folder, "client", "--without", "users")
    assert.strictEqual(code, 0)
  })

  it("two exports of one name, and one that the client has itself", async () => {
    const changes = changed(
      "users/UsersApi.ts",
      "export const User ",
      "export const make = 1\nexport const Order = 2\nexport const User "
    )
    await refused(
      changes,
      1,
      [
        "users/UsersApi.ts exports Order, and so does orders/Order.ts: a client has one export of each name. Rename it in users/UsersApi.ts, or do not export it",
        "users/UsersApi.ts exports make, and so does flange client: "
      ].join("\n")
    )
  })

  it("an envelope of errors that no module exports", async () => {
    const changes = {
      "app.ts": files["app.ts"]
        .replace("import { ShopErrors }", "import { made }")
        .replace("errors: ShopErrors", "errors: made.ShopErrors"),
      "ShopErrors.ts": files["ShopErrors.ts"]
        .replace("export const ShopErrors", "const ShopErrors")
        .concat("export const made = { ShopErrors }\n")
    }
    await refused(changes, 1, "No module of the app exports the envelope of its errors")
  })

  it("an app without contracts", async () => {
    await refused(
      changed("app.ts", ", OrdersPlugin, UsersPlugin]", "]"),
      1,
      'The app "shop" has no contracts for a client'
    )
  })

  it("a contract that does not compile, with the compiler's words", async () => {
    await refused(
      changed(
        "users/UsersApi.ts",
        "export const User ",
        "export const wrong: number = 'x'\nexport const User "
      ),
      1,
      "users/UsersApi.ts(6,14): error TS2322: Type 'string' is not assignable to type 'number'."
    )
  })

  it("names, versions and folders that cannot be used", async () => {
    await Promise.all([
      refused({}, 2, '"Shop Client" is not a name of a package', "--name", "Shop Client"),
      refused(
        changed("flange.toml", "1.4.0", "build-7"),
        2,
        'The version of the app is "build-7", and npm takes versions such as 1.4.0. Set app.version'
      ),
      refused({}, 2, "orders exists, and flange client did not write it", "--out", "orders"),
      refused({}, 2, "app.ts exists, and flange client did not write it", "--out", "app.ts"),
      refused(
        {},
        2,
        '--without user: no plugin of the app "shop" serves a group of this name. Did you mean users? It has orders, users',
        "--without",
        "user"
      )
    ])
  })

  it("a project without the packages that it needs", async () => {
    const folder = await shop()
    await rm(join(folder, "node_modules/typescript"))
    const { code, stderr } = await flange(folder, "client")
    assert.include(stderr, "typescript is not installed. Run: npm install -D typescript")
    assert.strictEqual(code, 1)
  })
})
