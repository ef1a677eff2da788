import { cp, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { dev, until } from "./dev.ts"
import { project, write } from "./project.ts"

const root = join(import.meta.dirname, "../..")

describe("flange dev with templates", { timeout: 120_000 }, () => {
  it("shows a changed template without a restart, and starts again when a broken one is corrected", async () => {
    const folder = await project({}, ["effect", "eta", "flange"])
    await cp(join(root, "examples/pages"), folder, { recursive: true })
    const { output, request, text } = dev(folder)
    assert.include(await text("/books/9"), "There is no such book")
    await write(folder, { "templates/books/lost.eta": "Lost" })
    await until(async () => (await text("/books/9")) === "Lost")
    const starts = () => output().split(" serves on ").length
    assert.strictEqual(starts(), 2)

    await write(folder, { "templates/books/lost.eta": "<% if { %>" })
    const app = join(folder, "app.ts")
    await writeFile(app, `${await readFile(app, "utf8")}\n`)
    await until(async () => (await request("/books/9")).status === 503)
    assert.include(await text("/books/9"), "books/lost")
    await write(folder, { "templates/books/lost.eta": "Found" })
    await until(async () => (await text("/books/9")) === "Found")
  })
})
