import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"

const root = join(import.meta.dirname, "../../..")

/** What importing a module loads, of what is not needed to write a contract. */
const loaded = async (specifier: string): Promise<ReadonlyArray<string>> => {
  const program = `
    import { registerHooks } from "node:module"
    const seen = []
    registerHooks({ resolve: (name, context, next) => {
      const found = next(name, context)
      seen.push(found.url)
      return found
    } })
    await import(${JSON.stringify(specifier)})
    console.log(JSON.stringify(seen.filter((url) => /node_modules\\/jose\\/|^node:/.test(url))))
  `
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=flange-source", "--input-type=module", "--eval", program],
    { cwd: root }
  )
  return JSON.parse(stdout) as ReadonlyArray<string>
}

describe("contracts import the battery for its guards", () => {
  it("so importing it loads neither jose nor a module of Node, and a browser can", async () => {
    expect(await loaded("flange/Auth")).toEqual([])
  })

  it("and the probe sees them when they are loaded", async () => {
    expect((await loaded("jose")).length).toBeGreaterThan(0)
  })
})
