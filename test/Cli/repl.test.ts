import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { environment, node, project } from "./project.ts"

const root = join(import.meta.dirname, "../..")

const app = `
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { App, Plugin } from "flange"

class NoLamp extends Schema.TaggedError()("NoLamp", { id: Schema.Int }) {
  get message() { return \`There is no lamp \${this.id}\` }
}

class Lamps extends Context.Service()("shop/Lamps") {
  static layer = Layer.effect(
    Lamps,
    Effect.acquireRelease(
      Effect.succeed({
        read: (id) => id === 1 ? Effect.as(Effect.logInfo("reading"), "Lamp 1") : Effect.fail(new NoLamp({ id })),
        wait: Effect.andThen(Effect.logInfo("waiting"), Effect.never)
      }),
      () => Effect.logInfo("released")
    )
  )
}

export const app = App.make("shop", [
  Plugin.make("shop:lamps", { layer: Lamps.layer, provides: [Lamps], ready: () => Effect.die("no listener") })
])
`

let folder: string
beforeAll(async () => {
  folder = await project({ "app.mjs": app }, ["effect", "flange"])
})

/** Starts \`flange repl\`, whose input is piped. */
const start = () => {
  const child = spawn(
    node,
    ["--conditions=flange-source", join(root, "src/Cli/main.ts"), "--app", "app.mjs", "repl"],
    { cwd: folder, env: environment }
  )
  const output = { stderr: "", stdout: "" }
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output.stdout += chunk))
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (output.stderr += chunk))
  return { child, output }
}

const evaluate = async (input: string) => {
  const { child, output } = start()
  child.stdin.end(input)
  const [code] = await once(child, "close")
  return { code, ...output }
}

describe("flange repl", { timeout: 60_000 }, () => {
  it("evaluates lines in their order with the services of the app; only results are on stdout", async () => {
    const { code, stderr, stdout } = await evaluate(
      [
        "await run(Lamps.read(1))",
        "const two = await run(Effect.delay(Effect.succeed(2), '50 millis'))",
        "two + 1",
        "Option.getOrThrow(Option.some(app.id))",
        "[1, 2].map((n) =>",
        "  n * 2)",
        ""
      ].join("\n")
    )
    assert.strictEqual(stdout, "'Lamp 1'\n3\n'shop'\n[ 2, 4 ]\n")
    assert.match(stderr, /reading[^]*released/)
    assert.strictEqual(code, 0)
  })

  it("shows the message of a failure, evaluates the next line, and ends with exit code 1", async () => {
    const { code, stderr, stdout } = await evaluate(
      "await run(Lamps.read(2))\nnowhere\nawait run(Effect.die(new Error('defect')))\n1 + 1"
    )
    assert.strictEqual(stdout, "2\n")
    assert.match(
      stderr,
      /^Uncaught There is no lamp 2\nUncaught ReferenceError: nowhere is not defined\nUncaught Error: defect/m
    )
    assert.strictEqual(code, 1)
  })

  it("interrupts what runs and releases the plugins on SIGINT", async () => {
    const { child, output } = start()
    child.stdin.write("await run(Lamps.wait)\n")
    while (!output.stderr.includes("waiting")) await once(child.stderr, "data")
    child.kill("SIGINT")
    const [code] = await once(child, "close")
    assert.strictEqual(code, 130)
    assert.include(output.stderr, "released")
  })
})
