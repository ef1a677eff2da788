// The requests that the parsers of the runtimes read in other ways, and the table of them in the guide.
import { readFileSync } from "node:fs"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { list } from "../matrix/differences.ts"
import { answerOf, cases, table } from "./cases.ts"
import { available, type Running, send, start } from "./process.ts"

describe.each(["node", ...available] as const)("the listener on %s", (name) => {
  let app: Running
  beforeAll(async () => {
    app = await start(name)
  })
  afterAll(() => app.child.kill("SIGKILL"))

  it.each(cases.map((one) => [one.name, one] as const))("answers %s", async (_, one) => {
    assert.strictEqual(answerOf(await send(app.port, one.bytes)), one[name])
  })
})

describe("the guide", () => {
  const guide = readFileSync(new URL("../../docs/edge.md", import.meta.url), "utf8")

  it("shows the answers that the runtimes give", () => {
    const words = (text: string) => text.replaceAll(/ *\| */g, "|").replaceAll(/-+/g, "-")
    assert.include(words(guide), words(table()))
  })

  it("lists what the runtimes decide in the tests that are left out", () => {
    assert.include(guide, list())
  })
})
