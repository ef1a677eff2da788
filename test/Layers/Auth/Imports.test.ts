import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"

const root = join(import.meta.dirname, "../../..")

/** The modules of Node and of jose that importing a module loads. */
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
    `${root}/node_modules/.bin/node`,
    ["--conditions=flange-source", "--input-type=module", "--eval", program],
    { cwd: root }
  )
  return JSON.parse(stdout) as ReadonlyArray<string>
}

describe("importing the battery", () => {
  it("loads neither jose nor a module of Node before a backend needs them", async () => {
    expect(await loaded("flange/Auth")).toEqual([])
  })

  it("is seen by the probe to load jose if it does", async () => {
    expect((await loaded("jose")).length).toBeGreaterThan(0)
  })
})
