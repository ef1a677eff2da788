// Templates of an app that was built, and what importing the battery loads.
import { execFile, spawn } from "node:child_process"
import { rename } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { emptyFolder, flange, node } from "../../Cli/project.ts"
import { freePort, root } from "../../examples/process.ts"

describe("flange build", () => {
  it("copies the directory of the templates, which the moved bundle finds", async () => {
    const folder = await emptyFolder()
    const out = join(folder, "built", "app.mjs")
    const { stdout } = await flange(root, "build", "examples/pages/main.ts", "--out", out)
    expect(stdout).toMatch(/templates 5 files/)
    await rename(join(folder, "built"), join(folder, "moved"))
    const port = await freePort()
    const child = spawn(node, [join(folder, "moved", "app.mjs")], {
      cwd: folder,
      env: {
        FLANGE_ENV: "production",
        HOST: "127.0.0.1",
        PATH: process.env["PATH"],
        PORT: String(port)
      }
    })
    try {
      let reply: Response | undefined
      while (reply === undefined && child.exitCode === null) {
        reply = await fetch(`http://127.0.0.1:${port}/books/2`).catch(
          () => new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 50))
        )
      }
      expect(await reply?.text()).toContain("<h1>Sense &amp; Sensibility</h1>")
    } finally {
      child.kill("SIGKILL")
    }
  })
})

/** The modules of Eta that a program loads. */
const loaded = async (program: string): Promise<ReadonlyArray<string>> => {
  const { stdout } = await promisify(execFile)(
    `${root}/node_modules/.bin/node`,
    [
      "--conditions=flange-source",
      "--input-type=module",
      "--eval",
      `
        import { registerHooks } from "node:module"
        const seen = []
        registerHooks({ resolve: (name, context, next) => {
          const found = next(name, context)
          seen.push(found.url)
          return found
        } })
        ${program}
        console.log(JSON.stringify(seen.filter((url) => /node_modules\\/eta\\//.test(url))))
      `
    ],
    { cwd: root }
  )
  return JSON.parse(stdout) as ReadonlyArray<string>
}

describe("Eta", () => {
  it("is loaded when templates are compiled, and not with the battery", async () => {
    expect(await loaded(`await import("flange/Templates")`)).toEqual([])
    const compiled = `
      const Effect = await import("effect/Effect")
      const Layer = await import("effect/Layer")
      const { TestTemplates } = await import("flange/Templates/Testing")
      await Effect.runPromise(Effect.scoped(Layer.build(TestTemplates.layer({}))))
    `
    expect(await loaded(compiled)).toEqual([expect.stringMatching(/\/eta\/dist\/core\.js$/)])
  })
})
