/** An app on a Node that is too old says so in one sentence. */
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { assert, describe, it } from "vitest"
import manifest from "../../../package.json" with { type: "json" }
import * as NodeVersion from "../../../src/Server/Listener/NodeVersion.ts"

describe("the version of Node", () => {
  it("is checked against that of package.json", () => {
    assert.strictEqual(`>=${NodeVersion.oldest}`, `${manifest.engines.node}.0`)
  })

  it.each([
    ["18.20.4", false],
    ["20.20.2", false],
    ["22.19.9", false],
    ["22.20.0", true],
    ["22.21.1", true],
    ["24.0.0", true],
    ["100.1.0", true]
  ])("%s is new enough: %s", (version, isEnough) => {
    assert.strictEqual(NodeVersion.problem(version) === undefined, isEnough)
  })

  it("that is too old ends the process with one sentence", async () => {
    const old = 'Object.defineProperty(process.versions, "node", { value: "20.20.2" })'
    const { code, stderr, stdout } = await promisify(execFile)(
      process.execPath,
      [
        "--conditions=flange-source",
        "--import",
        `data:text/javascript,${old}`,
        "examples/hello/main.ts"
      ],
      { env: { ...process.env, PORT: "0" } }
    ).then(
      () => assert.fail("The app ran"),
      (error: { code: number; stderr: string; stdout: string }) => error
    )
    assert.strictEqual(code, 1)
    assert.strictEqual(stdout, "")
    assert.strictEqual(
      stderr,
      `This app needs Node 22.20.0 or newer, and ${process.execPath} is Node 20.20.2. Install a newer Node, or add one to the project with "npm install -D node@24" and start the app with "npx node".\n`
    )
  })
})
