// The replies that README and the guides show, and the project that getting started builds.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { snippetsOf } from "./docs.ts"
import { blanked, exchangesOf, send } from "./docsConsole.ts"
import { freePort, node, root, serving, whileServing } from "./examples/process.ts"

const guide = "docs/getting-started.md"
const adminGuide = "docs/admin.md"
const folder = join(root, ".doctest/guide")

const read = (file: string) => readFileSync(join(root, file), "utf8")

rmSync(folder, { force: true, recursive: true })
for (const file of [guide, adminGuide]) {
  for (const { path, text } of snippetsOf(file, read(file))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}
const project = ".doctest/guide/docs_getting-started_md"

const documents = [
  { file: "README.md", main: "examples/sample-api/main.ts" },
  { file: guide, main: `${project}/main.ts` }
]

describe.each(documents)("$file", ({ file, main }) => {
  it("shows the replies that the server gives", async () => {
    const exchanges = exchangesOf(read(file))
    expect(exchanges.length).toBeGreaterThan(0)
    await whileServing(main, {}, async (url) => {
      for (const exchange of exchanges) {
        const reply = await send(exchange, url)
        expect(blanked(reply), exchange.command).toBe(blanked(exchange.reply))
      }
    })
  })
})

describe(adminGuide, () => {
  it("shows the replies of the admin port, and ends the app with the last request", async () => {
    const exchanges = exchangesOf(read(adminGuide))
    expect(exchanges.length).toBeGreaterThan(0)
    const port = await freePort()
    const app = node([".doctest/guide/docs_admin_md/main.ts"], {
      ADMIN_PORT: String(port),
      PORT: String(await freePort())
    })
    try {
      const url = `http://127.0.0.1:${port}`
      await serving(app, url)
      for (const exchange of exchanges) {
        // The document has the default port.
        const local = { ...exchange, url: exchange.url.replace("http://localhost:8081", url) }
        expect(blanked(await send(local, "")), exchange.command).toBe(blanked(exchange.reply))
      }
      expect(await app.exitCode, app.output()).toBe(0)
    } finally {
      app.child.kill("SIGKILL")
    }
  })
})

describe("the project of getting started", () => {
  it("has a client that talks to it, and takes variables", async () => {
    const env = { FLANGE__GREETINGS__WORD: "Ahoy" }
    await whileServing(`${project}/main.ts`, env, async (url) => {
      const client = node([`${project}/client.ts`, url])
      expect(await client.exitCode, client.output()).toBe(0)
      expect(client.output()).toBe("Ahoy, Ada\n")
    })
  })
})

// Its own tests, as tests of this file.
await import(join(root, project, "Greetings.test.ts"))
