import { once } from "node:events"
import { readFile, rm } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "vitest"
import { childrenOf, dev, files, isRunning, load, saying, until } from "./dev.ts"
import { flange, project, write } from "./project.ts"

const installed = ["effect", "flange"]

const start = async (changed: Readonly<Record<string, string>> = {}) => {
  const folder = await project({ ...files, ...changed }, installed)
  return { folder, ...dev(folder) }
}

/** Waits until the app replies with a word. */
const says = ({ text }: { readonly text: (path: string) => Promise<string> }, word: string) =>
  until(() =>
    text("/word").then(
      (reply) => reply === `"${word}"`,
      () => false
    )
  )

describe("flange dev", { timeout: 120_000 }, () => {
  for (const listener of ["node", "proxied"]) {
    it(`loses no request of a loaded app that is edited, on the listener ${listener}`, async () => {
      const running = await start({ "flange.toml": `[server]\nlistener = "${listener}"\n` })
      await says(running, "first")
      const stop = load(running, "/word")
      for (const word of ["second", "third", "fourth"]) {
        await write(running.folder, saying(word))
        await says(running, word)
      }
      assert.isAbove(await stop(), 10)
      assert.include(running.output(), ": src/word.ts\n")
    })
  }

  it("keeps the port of a plugin open over restarts, and passes its requests to the newest app", async () => {
    const { ".env": _, ...rest } = files
    const app = files["src/app.ts"]
      .replace("import { word }", 'import * as Admin from "flange/Admin"\nimport { word }')
      .replace("...Preset.", "Admin.plugin, ...Preset.")
    const running = await start({ ...rest, ".env": "ADMIN_PORT=0\n", "src/app.ts": app })
    await says(running, "first")
    await until(() => running.output().includes('The port "admin" is on '))
    const [, admin] = /The port "admin" is on (\S+)/.exec(running.output())!
    const pid = async () => ((await (await fetch(`${admin}/info`)).json()) as { pid: number }).pid
    const first = await pid()
    await write(running.folder, saying("second"))
    await says(running, "second")
    // A connection to the old app stays until the old app has drained.
    await until(() =>
      pid().then(
        (now) => now !== first,
        () => false
      )
    )
  })

  it("finishes a request that began before an edit", async () => {
    const running = await start()
    await says(running, "first")
    const slow = running.text("/slow")
    await write(running.folder, saying("second"))
    assert.strictEqual(await slow, '"first"')
    await says(running, "second")
  })

  it("starts again when the configuration changes, and not when a file changes that the app does not load", async () => {
    const running = await start({ "test/word.test.ts": "" })
    await says(running, "first")
    await write(running.folder, { "test/word.test.ts": "export {}" })
    await write(running.folder, { ".env": "FLANGE__APP__NAME=renamed\n" })
    await until(async () => running.output().includes("Restarted in"))
    assert.notInclude(running.output(), "word.test.ts")
    await until(() => /Restarted in \d+ ms: \.env\n/.test(running.output()))
  })

  it("sees modules in folders that are new", async () => {
    const running = await start()
    await says(running, "first")
    await write(running.folder, { "src/new/word.ts": 'export const word: string = "second"\n' })
    await write(running.folder, { "src/word.ts": 'export { word } from "./new/word.ts"\n' })
    await says(running, "second")
    await write(running.folder, { "src/new/word.ts": 'export const word: string = "third"\n' })
    await says(running, "third")
    await rm(`${running.folder}/src/new`, { recursive: true })
    await until(async () => (await running.request("/word")).status === 503)
    await write(running.folder, { "src/new/word.ts": 'export const word: string = "fourth"\n' })
    await says(running, "fourth")
  })

  it("shows why an edited app does not start, as HTML and as JSON, until it starts again", async () => {
    const running = await start()
    await says(running, "first")
    await write(running.folder, { "src/word.ts": 'export const word: string = "<b>\n' })
    await until(async () => (await running.request("/word")).status === 503)
    const json = await running.request("/word?a=b", { body: "{}", method: "POST" })
    assert.strictEqual(json.headers.get("content-type"), "application/problem+json")
    const problem = (await json.json()) as Record<string, unknown>
    assert.match(String(problem["detail"]), /^The file src\/main\.ts cannot be loaded: /)
    assert.deepInclude(problem, { code: "APP_NOT_RUNNING", instance: "/word", status: 503 })
    assert.strictEqual(problem["place"], `${running.folder}/src/word.ts:1`)
    const html = await running.request("/word", { headers: { accept: "text/html,*/*" } })
    assert.strictEqual(html.status, 503)
    const place = `${running.folder}/src/word.ts:1`
    assert.strictEqual((await html.text()).split(place).length, 2)
    await until(() => running.output().includes("Correct it and save"))
    assert.strictEqual(running.output().split(place).length, 2)

    const failure = html.headers.get("flange-dev")
    assert.isString(failure)
    const head = () => running.request("/word", { method: "HEAD" })
    assert.strictEqual((await head()).headers.get("flange-dev"), failure)
    await write(running.folder, saying("second"))
    await says(running, "second")
    assert.isNull((await head()).headers.get("flange-dev"))
  })

  it("escapes the message of an error, and its page allows no other script", async () => {
    const running = await start()
    await says(running, "first")
    await write(running.folder, {
      "src/word.ts": `export const word = refused()
function refused(): string {
  throw new Error('<script>alert("no")</script>')
}
`
    })
    const page = () => running.request("/word", { headers: { accept: "text/html" } })
    await until(async () => (await (await page()).text()).includes(")&lt;/script&gt;"))
    const html = await page()
    assert.match(html.headers.get("content-security-policy")!, /default-src 'none'.*nonce-/)
    const text = await html.text()
    assert.include(text, "&lt;script&gt;alert(&quot;no&quot;)&lt;/script&gt;")
    assert.notInclude(text, "<script>alert")
    assert.include(text, `${running.folder}/src/word.ts:3`)
  })

  it("opens the port that is configured if the first start fails", async () => {
    const port = await freePort()
    const folder = await project(
      { ...files, "flange.toml": '[app]\ndrainTimeout = "soon"\n' },
      installed
    )
    const running = dev(folder, ["--no-types"], { PORT: String(port) })
    await until(() => running.output().includes("Correct it and save"))
    const reply = await running.request("/word")
    assert.strictEqual(reply.status, 503)
    assert.match(await reply.text(), /drainTimeout.*flange\.toml/)
    await write(folder, { "flange.toml": "" })
    await says(running, "first")
  })

  it("names a port that is in use, and starts after a change", async () => {
    const other = createServer().listen(0, "127.0.0.1")
    await once(other, "listening")
    const { port } = other.address() as AddressInfo
    const folder = await project(files, installed)
    const running = dev(folder, ["--no-types"], { PORT: String(port) })
    await until(() => running.output().includes("Correct it and save"))
    assert.include(
      running.output(),
      `Cannot listen on http://127.0.0.1:${port}: something else listens there. Stop it, or set PORT`
    )
    await once(other.close(), "close")
    await write(folder, saying("second"))
    await says(running, "second")
  })

  it("moves to another port", async () => {
    const [first, second] = [await freePort(), await freePort()]
    const toml = (port: number) => ({ "flange.toml": `[server]\nport = ${port}\n` })
    const folder = await project({ ...files, ...toml(first) }, installed)
    const environment = { PORT: "" }
    const running = dev(folder, ["--no-types"], environment)
    const word = async (port: number) => (await fetch(`http://127.0.0.1:${port}/word`)).status
    await until(() => running.output().includes("serves on"))
    assert.strictEqual(await word(first), 200)
    await write(folder, toml(second))
    await until(() =>
      word(second).then(
        (status) => status === 200,
        () => false
      )
    )
    await until(() =>
      word(first).then(
        () => false,
        () => true
      )
    )
  })

  it("ends the old app first if both cannot run, and loses no request", async () => {
    const port = await freePort()
    const running = await start({
      "src/word.ts": `
import { createServer } from "node:http"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
export const own = Layer.effectDiscard(
  Effect.acquireRelease(
    Effect.callback((resume) => {
      const server = createServer()
      server.once("error", (error) => resume(Effect.fail(error)))
      server.listen(${port}, () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.callback((resume) => void server.close(() => resume(Effect.void)))
  )
)
export const word: string = "first"
`,
      "src/app.ts": files["src/app.ts"]
        .replace("{ word }", "{ own, word }")
        .replace('"app:word", {', '"app:word", {\n  layer: own,')
    })
    await says(running, "first")
    const stop = load(running, "/word")
    for (const word of ["second", "third"]) {
      const text = await readFile(`${running.folder}/src/word.ts`, "utf8")
      await write(running.folder, {
        "src/word.ts": text.replace(/string = "\w+"/, `string = "${word}"`)
      })
      await says(running, word)
    }
    await stop()
    assert.notInclude(running.output(), "EADDRINUSE")
  })

  it("shows the crash of an app, and starts it again after a change only", async () => {
    const running = await start()
    await says(running, "first")
    await running.request("/crash")
    const page = () => running.request("/word", { headers: { accept: "text/html" } })
    await until(async () => (await (await page()).text()).includes("out of &lt;words&gt;"))
    await until(() => running.output().includes("Correct it and save"))
    assert.match(running.output(), /Error: out of <words>\nAt .*src\/app\.ts:\d+\n/)
    assert.strictEqual(running.output().split("Correct it and save").length, 2)
    await write(running.folder, saying("second"))
    await says(running, "second")
  })

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`drains on ${signal}, tells no crash, and leaves no process`, async () => {
      const running = await start()
      await says(running, "first")
      const children = childrenOf(running.child.pid!)
      assert.isNotEmpty(children)
      const slow = running.text("/slow")
      await until(async () => (await running.text("/word")) !== "")
      // A terminal sends SIGINT to the processes of the app too.
      if (signal === "SIGINT") for (const child of children) process.kill(child, signal)
      running.child.kill(signal)
      assert.strictEqual(await slow, '"first"')
      assert.deepStrictEqual(await once(running.child, "close"), [130, null])
      assert.notInclude(running.output(), "The app ended")
      assert.notInclude(running.output(), "Correct it and save")
      assert.deepStrictEqual(children.filter(isRunning), [])
    })
  }

  it("leaves no process when it is killed", async () => {
    const running = await start()
    await says(running, "first")
    const children = childrenOf(running.child.pid!)
    assert.isNotEmpty(children)
    running.child.kill("SIGKILL")
    await until(() => !children.some(isRunning))
  })

  const checked = async (plugins: ReadonlyArray<object>, ...packages: ReadonlyArray<string>) => {
    const compilerOptions = {
      allowImportingTsExtensions: true,
      module: "nodenext",
      noEmit: true,
      plugins,
      skipLibCheck: true,
      strict: true,
      types: []
    }
    const folder = await project(
      {
        "package.json": '{ "type": "module" }',
        "src/app.ts": files["src/app.ts"],
        "src/main.ts": files["src/main.ts"],
        "src/word.ts":
          'export const word: string = "first" as const\nexport const not: number = word\n',
        "tsconfig.json": JSON.stringify({ compilerOptions, files: ["src/word.ts"] })
      },
      [...installed, "typescript", ...packages]
    )
    return { folder, ...dev(folder, []) }
  }

  it("prints type errors, that there are none, and once that forgotten Effects are not found", async () => {
    const running = await checked([])
    await until(() => running.output().includes("npm install -D @effect/tsgo\n"))
    assert.include(
      running.output(),
      "types: 1 error\n  src/word.ts:2 Type 'string' is not assignable to type 'number'.\n"
    )
    await says(running, "first")
    await write(running.folder, saying("second"))
    await until(() => running.output().includes("types: ok\n"))
    await write(running.folder, saying("third"))
    await until(() => running.output().split("types: ok\n").length === 3)
    assert.strictEqual(running.output().split("@effect/tsgo").length, 2)
  })

  it("prints Effects that are never run, also beside type errors", async () => {
    const running = await checked([{ name: "@effect/language-service" }], "@effect/tsgo")
    await until(() => running.output().includes("types: 1 error\n  src/word.ts:2 Type"))
    const forgotten = `import * as Effect from "effect/Effect"
export const word: string = "second"
export const write = Effect.gen(function* () {
  Effect.log("lost")
  yield* Effect.log("written")
})
`
    const message =
      "  src/word.ts:4 This Effect value is neither yielded nor used in an assignment.\n"
    await write(running.folder, { "src/word.ts": forgotten })
    await until(() => running.output().includes(`types: 1 error\n${message}`))
    await write(running.folder, {
      "src/word.ts": `${forgotten}export const not: number = word\n`
    })
    await until(() =>
      running
        .output()
        .includes(
          `types: 2 errors\n  src/word.ts:7 Type 'string' is not assignable to type 'number'.\n${message}`
        )
    )
    await write(running.folder, { "src/word.ts": forgotten.replace("  Effect", "  yield* Effect") })
    await until(() => running.output().includes("types: ok\n"))
  })

  it("tells how forgotten Effects are found if the project does not turn it on", async () => {
    const running = await checked([], "@effect/tsgo")
    await until(() => running.output().includes("a forgotten yield* is not found: add"))
  })

  it("refuses a file that does not exist", async () => {
    const { code, stderr } = await flange(await project(files, installed), "dev", "src/nowhere.ts")
    assert.strictEqual(code, 2)
    assert.match(stderr, /^The file src\/nowhere\.ts does not exist/)
  })
})

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  await once(server.close(), "close")
  return port
}
