// `flange routes`, and the faults that a reviewer of an example has to find in its table or lock.
import {
  chmod,
  cp,
  link,
  readFile,
  readlink,
  rename,
  stat,
  symlink,
  writeFile
} from "node:fs/promises"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { emptyFolder, flange, project } from "./project.ts"

const root = join(import.meta.dirname, "../..")

type Example = "recipe-api" | "sample-api"

/** Creates a project of an example, and writes its lock. */
const locked = async (example: Example): Promise<string> => {
  const folder = await project({}, ["effect", "flange"])
  await cp(join(root, "examples", example), folder, { recursive: true })
  const { code, stderr } = await flange(folder, "routes", "--write")
  assert.strictEqual(code, 0, stderr)
  return folder
}

/** The projects that tests copy. */
let examples: Readonly<Record<Example, string>>
beforeAll(async () => {
  const [recipe, sample] = await Promise.all([locked("recipe-api"), locked("sample-api")])
  examples = { "recipe-api": recipe, "sample-api": sample }
})

/** Copies an example with its lock into a project of its own. */
const copied = async (example: Example): Promise<string> => {
  const folder = await emptyFolder()
  await cp(examples[example], folder, { recursive: true })
  return folder
}

/** Changes a file of a project. Every text must be in it. */
const seed = async (
  folder: string,
  file: string,
  ...changes: ReadonlyArray<readonly [from: string, to: string]>
): Promise<void> => {
  let text = await readFile(join(folder, file), "utf8")
  for (const [from, to] of changes) {
    assert.include(text, from)
    text = text.replaceAll(from, to)
  }
  await writeFile(join(folder, file), text)
}

/** The line of a route in the table, with single spaces. */
const lineOf = (table: string, route: string): string | undefined =>
  table
    .split("\n")
    .map((line) => line.replaceAll(/ +/g, " "))
    .find((line) => line.startsWith(`${route} `))

describe("flange routes", () => {
  let folder: string
  beforeAll(async () => {
    folder = await copied("recipe-api")
  })

  it("prints the table of the app in the usual file, and starts nothing", async () => {
    const { code, stderr, stdout } = await flange(folder, "routes")
    assert.strictEqual(
      stdout,
      await readFile(join(root, "test/examples/routes/recipe-api.txt"), "utf8")
    )
    assert.strictEqual(stderr, "")
    assert.strictEqual(code, 0)
  })

  it("prints the app that a file runs, as JSON too", async () => {
    const { stderr, stdout } = await flange(root, "routes", "examples/hello/main.ts", "--json")
    const { rawGroups, routes } = JSON.parse(stdout)
    assert.strictEqual(stderr, "")
    assert.deepStrictEqual(rawGroups, [])
    assert.lengthOf(routes, 1)
    assert.include(routes[0], { access: "public", name: "hello.hello", transaction: "none" })
  })

  it("accepts the routes of the lock, in which each has a line", async () => {
    const lock = await readFile(join(folder, "routes.lock"), "utf8")
    assert.include(
      lock,
      '\n    "POST /v1/orders": {"access":"protected","chain":"default","name":"orders.create","scopes":["orders:write"]},\n'
    )
    const { code, stderr, stdout } = await flange(folder, "routes", "--check")
    assert.deepStrictEqual(
      { code, stderr, stdout },
      { code: 0, stderr: "", stdout: "The routes are those of routes.lock.\n" }
    )
  })

  it("replaces the lock whole, and keeps its link and its permissions", async () => {
    const [old, lock, target] = ["old.lock", "routes.lock", "locks.json"].map((file) =>
      join(folder, file)
    ) as [string, string, string]
    await rename(lock, target)
    await symlink("locks.json", lock)
    await chmod(target, 0o600)
    await link(target, old)
    assert.strictEqual((await flange(folder, "routes", "--write")).code, 0)
    assert.strictEqual(await readlink(lock), "locks.json")
    assert.strictEqual((await stat(target)).mode & 0o777, 0o600)
    // A process that is killed while it writes leaves the old file.
    assert.notStrictEqual((await stat(target)).ino, (await stat(old)).ino)
  })

  it("refuses a lock that is absent or broken, and a choice of two, with exit code 2", async () => {
    const app = join(root, "examples/recipe-api/app.ts")
    const checked = async (
      files: Readonly<Record<string, string>>,
      ...args: ReadonlyArray<string>
    ) => flange(await project(files), "routes", app, "--check", ...args)
    const [absent, broken, later, both] = await Promise.all([
      checked({}),
      checked({ "routes.lock": '{\n<<<<<<< HEAD\n  "routes": {}' }),
      checked({ "routes.lock": '{"rawGroups":{},"routes":{},"version":7}' }),
      checked({}, "--write")
    ])
    assert.include(absent.stderr, "There is no routes.lock in ")
    assert.include(absent.stderr, "Make it and commit it: flange routes --write")
    assert.include(broken.stderr, "routes.lock is not a lock of routes")
    assert.include(later.stderr, '["version"]')
    assert.include(both.stderr, "write one of them")
    assert.deepStrictEqual(
      [absent, broken, both, later].map(({ code, stdout }) => [code, stdout]),
      Array.from({ length: 4 }, () => [2, ""])
    )
  })
})

describe("a reviewer finds in the table and by the lock", () => {
  /** The table and the check of a project with a fault. */
  const reviewed = async (folder: string) => {
    const [table, check] = await Promise.all([
      flange(folder, "routes"),
      flange(folder, "routes", "--check")
    ])
    assert.strictEqual(check.code, 1)
    assert.strictEqual(check.stdout, "")
    return { check: check.stderr, refusal: table.stderr, table: table.stdout }
  }

  it("a scope that was left off", async () => {
    const folder = await copied("recipe-api")
    await seed(folder, "orders/OrdersApi.ts", [
      '.middleware(Auth.requireScopes("orders:write"))',
      ""
    ])
    const [{ check, table }, json] = await Promise.all([
      reviewed(folder),
      flange(folder, "routes", "--check", "--json")
    ])
    assert.strictEqual(
      lineOf(table, "POST /v1/orders"),
      "POST /v1/orders orders.create protected - - - 401 429"
    )
    assert.strictEqual(
      check,
      [
        "The routes differ from routes.lock.",
        "Less protects them:",
        "  - POST /v1/orders (orders.create) lost the scope orders:write: callers without it reach the handler.",
        "If all of it is meant, write the lock and commit it: flange routes --write",
        ""
      ].join("\n")
    )
    assert.deepInclude(JSON.parse(json.stdout)[0], { kind: "weaker" })
    assert.strictEqual(json.code, 1)
  })

  it("transactions that were left out", async () => {
    const folder = await copied("sample-api")
    await seed(folder, "app.ts", ["  Database.transactional(),\n", ""])
    const undecided = await reviewed(folder)
    assert.include(undecided.refusal, "UndecidedTransaction: Nothing says whether")
    assert.include(undecided.check, "UndecidedTransaction: Nothing says whether")
    assert.include(
      undecided.check,
      "POST /v1/items (items.create) lost its read-write transaction: "
    )
    await seed(folder, "app.ts", [
      "  Database.plugin,\n",
      "  Database.plugin,\n  Database.autocommit,\n"
    ])
    const { check, refusal, table } = await reviewed(folder)
    assert.strictEqual(refusal, "")
    assert.strictEqual(
      lineOf(table, "POST /v1/items"),
      "POST /v1/items items.create public - - - -"
    )
    for (const [route, kind] of [
      ["POST /v1/items (items.create)", "read-write"],
      ["GET /v1/items (items.list)", "read-only"]
    ]) {
      assert.include(check, `  - ${route} lost its ${kind} transaction: `)
    }
  })

  it("a guard that was set before a later endpoint, which assembly refuses too", async () => {
    const folder = await copied("recipe-api")
    await seed(
      folder,
      "orders/OrdersApi.ts",
      [
        '.middleware(Auth.requireScopes("orders:write")),',
        '\n).middleware(Auth.requireScopes("orders:write")).add('
      ],
      ["Auth.unguarded(", "("]
    )
    const { check, refusal, table } = await reviewed(folder)
    assert.include(lineOf(table, "POST /v1/orders"), " orders:write ")
    assert.strictEqual(
      lineOf(table, "GET /v1/orders"),
      "GET /v1/orders orders.list protected - - - 401 429"
    )
    for (const text of [check, refusal]) {
      assert.include(text, 'UnguardedEndpoint: GET /v1/orders ("list" of group "orders"')
    }
    assert.include(check, "GET /v1/orders (orders.list) is no longer marked as unguarded.")
  })

  it("Route.public for Route.protected", async () => {
    const folder = await copied("recipe-api")
    await seed(folder, "orders/OrdersPlugin.ts", ["Route.protected(", "Route.public("])
    const contradictory = await reviewed(folder)
    assert.include(contradictory.refusal, "AccessMismatch: POST /v1/orders")
    // Without the authentication in the contract, nothing contradicts it.
    await seed(folder, "orders/OrdersApi.ts", ["  .middleware(Authentication.Default)", ""])
    await seed(folder, "orders/OrdersApi.ts", [
      '.middleware(Auth.requireScopes("orders:write"))',
      ""
    ])
    const { check, refusal, table } = await reviewed(folder)
    assert.strictEqual(refusal, "")
    assert.strictEqual(
      lineOf(table, "GET /v1/orders"),
      "GET /v1/orders orders.list public unguarded - - -"
    )
    for (const route of [
      "GET /v1/orders (orders.list)",
      "GET /v1/orders/:orderId (orders.read)",
      "POST /v1/orders (orders.create)"
    ]) {
      assert.include(check, `  - ${route} became public: everybody may call it. It was protected.`)
    }
  })
})
