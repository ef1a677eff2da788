import { once } from "node:events"
import { cp, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { childrenOf, dev, isRunning, load, until } from "./dev.ts"
import { flange, project, write } from "./project.ts"

const root = join(import.meta.dirname, "../..")

const start = async (env: Readonly<Record<string, string>> = {}) => {
  const folder = await project({}, ["effect", "flange"])
  await cp(join(root, "examples/sample-api"), folder, { recursive: true })
  return { folder, ...dev(folder, ["--no-types"], env) }
}

const edit = async (file: string, from: RegExp | string, to: string): Promise<void> => {
  const text = await readFile(file, "utf8")
  assert.match(text, new RegExp(from))
  await writeFile(file, text.replace(from, to))
}

describe("flange dev with a database inside the process", { timeout: 120_000 }, () => {
  it("keeps the data over restarts, and loses no request", async () => {
    const running = await start()
    const created = await running.request("/v1/items", {
      body: '{"name":"Lamp"}',
      headers: { "content-type": "application/json" },
      method: "POST"
    })
    const path = created.headers.get("location")!
    const missing = () => running.text(path.replace(/.$/, (last) => (last === "0" ? "1" : "0")))
    const stop = load(running, path)
    const file = join(running.folder, "items/ItemsApi.ts")
    for (const word of ["lacks", "misses", "loses"]) {
      await edit(file, /`.* does not exist`|`\w+ \$\{id\}`/, `\`${word} \${id}\``)
      await until(async () => (await missing()).includes(word))
    }
    assert.isAbove(await stop(), 10)
    assert.include(await running.text(path), "Lamp")
  })

  it("applies a new migration, and shows what to do about one that was changed", async () => {
    const running = await start()
    assert.strictEqual((await running.request("/v1/items")).status, 200)
    await write(running.folder, {
      "migrations/0002_colour.sql": "alter table items add colour text;\n"
    })
    await until(() => /Migration 0002_colour\.sql .* applied/.test(running.output()))
    await until(async () => (await running.request("/v1/items")).status === 200)
    await edit(join(running.folder, "migrations/0001_items.sql"), /$/, "\n-- changed\n")
    await until(async () => (await running.request("/v1/items")).status === 503)
    assert.match(await running.text("/v1/items"), /0001_items\.sql/)
  })

  it("makes a new database at a restart after its directory was removed or replaced", async () => {
    const running = await start()
    const items = () => running.text("/v1/items")
    const body = '{"name":"Lamp"}'
    const headers = { "content-type": "application/json" }
    const add = () => running.request("/v1/items", { body, headers, method: "POST" })
    const restart = async (time: number) => {
      await edit(join(running.folder, "items/ItemsApi.ts"), /$/, "\n")
      await until(() => running.output().split("Restarted in").length === time + 1)
    }
    assert.strictEqual((await add()).status, 201)
    const directory = join(running.folder, ".flange/data")
    await rm(directory, { recursive: true })
    await restart(1)
    assert.notInclude(await items(), "Lamp")
    assert.strictEqual((await add()).status, 201)
    await restart(2)
    assert.include(await items(), "Lamp")
    await rename(directory, `${directory}-before`)
    await cp(`${directory}-before`, directory, { recursive: true })
    await restart(3)
    assert.strictEqual((await add()).status, 201)
    running.child.kill("SIGTERM")
    await once(running.child, "exit")
    const again = dev(running.folder)
    assert.strictEqual((await again.text("/v1/items")).split("Lamp").length, 3)
  })

  it("tells other commands and a second flange dev that it has the database open", async () => {
    const running = await start()
    assert.strictEqual((await running.request("/v1/items")).status, 200)
    const message = `the flange dev of this project (process ${running.child.pid}) has it open, and PGlite serves one process. Stop it with Ctrl-C in its terminal`
    const second = dev(running.folder)
    const { code, stderr } = await flange(running.folder, "migrate", "status")
    assert.notStrictEqual(code, 0)
    assert.include(stderr, message)
    await until(() => second.output().includes("Correct it and save"))
    assert.include(second.output(), message)
  })

  it("tells why a directory cannot be used", async () => {
    const { output } = await start({ DATABASE_URL: "pglite://./main.ts/data" })
    await until(() => output().includes("Correct it and save"))
    assert.match(
      output(),
      /Cannot open the data directory .*main\.ts\/data: E[A-Z]+: .*Make it writable/
    )
  })

  it("leaves no process when it is killed", async () => {
    const running = await start()
    assert.strictEqual((await running.request("/v1/items")).status, 200)
    const children = childrenOf(running.child.pid!)
    assert.isAtLeast(children.length, 2)
    running.child.kill("SIGKILL")
    await until(() => !children.some(isRunning))
    const again = dev(running.folder)
    assert.strictEqual((await again.request("/v1/items")).status, 200)
  })
})
