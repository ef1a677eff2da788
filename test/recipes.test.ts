// The recipes: each program is started as a process and called as its page shows.
import { once } from "node:events"
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { basename, dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { snippetsOf } from "./docs.ts"
import { exchangesOf, mismatchOf } from "./docsConsole.ts"
import { freePort, node, root, serving, whileServing } from "./examples/process.ts"

const folder = ".doctest/recipes"

const recipes = globSync("docs/recipes/*.md", { cwd: root })
  .map((file) => file.replaceAll("\\", "/"))
  .toSorted()

const read = (file: string) => readFileSync(join(root, file), "utf8")

/** The folder of a recipe's files, from the root. */
const folderOf = (file: string) => join(folder, basename(file, ".md"))

/** Returns the text of a fence with this info. */
const fence = (markdown: string, info: string): string => {
  const start = markdown.indexOf(`\n\`\`\`${info}\n`)
  if (start === -1) throw new Error(`No fence ${info}`)
  const code = start + info.length + 5
  return markdown.slice(code, markdown.indexOf("\n```", code))
}

rmSync(join(root, folder), { force: true, recursive: true })
for (const file of recipes) {
  const text = read(file)
  mkdirSync(join(root, folderOf(file)), { recursive: true })
  for (const snippet of snippetsOf(file, text)) {
    writeFileSync(join(root, folderOf(file), basename(snippet.path)), snippet.text)
  }
  for (const [, name, content] of text.matchAll(/^```txt file=(\S+)\n([\s\S]*?)^```$/gm)) {
    writeFileSync(join(root, folderOf(file), name!), content!)
  }
}

const mainOf = (file: string) => join(folderOf(file), "main.ts")

const expectExchanges = async (file: string, url: string) => {
  const exchanges = exchangesOf(read(file))
  expect(exchanges.length).toBeGreaterThan(0)
  for (const exchange of exchanges) {
    expect(await mismatchOf(exchange, url), exchange.command).toBeUndefined()
  }
}

const withConsole = recipes.filter((file) => exchangesOf(read(file)).length > 0)

describe.each(withConsole)("%s", (file) => {
  it("shows the replies that its program gives", () =>
    whileServing(mainOf(file), {}, (url) => expectExchanges(file, url)))
})

it("every recipe has a program that is called, and is in the list of README", () => {
  const tested = ["docs/recipes/openapi.md", "docs/recipes/real-time.md"]
  expect([...withConsole, ...tested].toSorted()).toEqual(recipes)
  const listed = [...read("README.md").matchAll(/\]\((docs\/recipes\/[\w-]+\.md)\)/g)]
  expect(listed.map(([, path]) => path).toSorted()).toEqual(recipes)
})

it("openapi: the document has what the page shows", async () => {
  const file = "docs/recipes/openapi.md"
  await whileServing(mainOf(file), {}, async (url) => {
    const document: unknown = await (await fetch(`${url}/openapi.json`)).json()
    expect(document).toMatchObject(JSON.parse(fence(read(file), "json /openapi.json")))
  })
})

it("logging: the log has the lines that the page shows", async () => {
  const file = "docs/recipes/logging.md"
  await whileServing(mainOf(file), {}, async (url, server) => {
    await expectExchanges(file, url)
    const shown = fence(read(file), "json log").split("\n")
    const logged = () =>
      server
        .output()
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter((entry) => entry["requestId"] === "demo")
    while (logged().length < shown.length) await new Promise((resolve) => setTimeout(resolve, 50))
    for (const [at, line] of shown.entries()) {
      const { message, ...fields } = JSON.parse(line) as Record<string, unknown>
      const entry = logged()[at]!
      expect(entry).toMatchObject(fields)
      // The message of the access line ends with its duration.
      expect(entry["message"]).toMatch(new RegExp(`^${String(message)}(?: \\d+ms)?$`))
    }
  })
})

it("outgoing calls: the price is that of the other service", async () => {
  let asked = 0
  const rates = createServer((request, reply) => {
    // The first failure passes.
    reply.writeHead(++asked === 1 ? 503 : 200, { "content-type": "application/json" })
    reply.end(request.url === "/rates/EUR" ? '{"rate":1.1}' : "{}")
  }).listen(0, "127.0.0.1")
  await once(rates, "listening")
  const { port } = rates.address() as AddressInfo
  const env = { FLANGE__OUTGOING__UPSTREAMS__RATES__URL: `http://127.0.0.1:${port}` }
  await whileServing(mainOf("docs/recipes/outgoing-calls.md"), env, async (url) => {
    expect(await (await fetch(`${url}/prices/EUR`)).json()).toEqual({ price: 11 })
    expect((await fetch(`${url}/prices/XXX`)).status).toBe(503)
  })
  expect(asked).toBe(3)
  rates.close()
})

it("build: the bundle has its file, and stacks with the lines of the source", async () => {
  const file = "docs/recipes/build.md"
  const out = join(root, folder, "built/app.mjs")
  const build = node(["src/Cli/main.ts", "build", mainOf(file), "--out", out])
  expect(await build.exitCode, build.output()).toBe(0)
  // The bundle runs away from its sources.
  const moved = join(root, folder, "moved")
  cpSync(dirname(out), moved, { recursive: true })
  rmSync(join(root, folderOf(file), "greeting.txt"))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const server = node(["--enable-source-maps", join(moved, "app.mjs")], { PORT: String(port) })
  try {
    await serving(server, `${url}/readyz`)
    await expectExchanges(file, url)
    expect((await fetch(`${url}/broken`)).status).toBe(500)
    const line = read(mainOf(file))
      .split("\n")
      .findIndex((text) => text.includes("Look at the line of this error"))
    server.child.kill("SIGTERM")
    expect(await server.exitCode, server.output()).toBe(0)
    expect(server.output()).toContain(`main.ts:${line + 1}:`)
  } finally {
    server.child.kill("SIGKILL")
  }
})

it("watch: a changed module is served without a command", async () => {
  const file = "docs/recipes/watch.md"
  const main = join(root, mainOf(file))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const server = node(["--watch", main], { PORT: String(port) })
  const word = () =>
    fetch(`${url}/word`).then(
      (reply) => reply.text(),
      () => undefined
    )
  try {
    await serving(server, `${url}/readyz`)
    expect(await word()).toBe('"before"')
    writeFileSync(main, readFileSync(main, "utf8").replace('"before"', '"after"'))
    while ((await word()) !== '"after"') await new Promise((resolve) => setTimeout(resolve, 50))
  } finally {
    server.child.kill("SIGTERM")
    await server.exitCode
  }
})

// The tests of a recipe, as tests of this file.
await import(join(root, folderOf("docs/recipes/real-time.md"), "clock.test.ts"))
