import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { open } from "../backends.ts"
import { fixture } from "./fixture.ts"

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flange-template-"))
})
afterEach(() => rm(folder, { force: true, recursive: true }))

/** Opens a database in a process whose cache is below `cache`, and returns what it says. */
const opened = async (cache: string, directory?: string) => {
  const { exited, said } = fixture("open.ts", directory === undefined ? [] : [directory], {
    cwd: folder,
    env: { XDG_CACHE_HOME: cache }
  })
  const databases = await said(/databases=.*/)
  await exited
  return databases
}

/** A database that PGlite creates itself has `template0` too. */
const fromTemplate = "databases=postgres,template1"

describe("the template of PGlite's files", () => {
  it(
    "is built by processes that start at once, and again if it is damaged",
    { timeout: 300_000 },
    async () => {
      const cache = join(folder, "cache")
      const both = [opened(cache), opened(cache, join(folder, "data"))]
      expect(await Promise.all(both)).toEqual([fromTemplate, fromTemplate])

      const files = await readdir(join(cache, "flange"))
      expect(files).toEqual([expect.stringMatching(/^pglite-[\d.]+-template-\d+\.tar$/)])
      const file = join(cache, "flange", files[0]!)
      const whole = await readFile(file)
      await truncate(file, whole.length / 2)
      expect(await opened(cache)).toBe(fromTemplate)
      expect((await readFile(file)).length).toBe(whole.length)
    }
  )

  it("is not needed where nothing can be cached", async () => {
    await writeFile(join(folder, "file"), "")
    expect(await opened(join(folder, "file"), join(folder, "data"))).toBe(fromTemplate)
  })
})

const within = (url: string) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const sql = yield* open(url)
        yield* sql`create table if not exists visits (n integer)`
        yield* sql`insert into visits values (1)`
        return yield* sql`select count(*)::integer as visits, current_setting('shared_buffers') as buffers from visits`
      })
    )
  )

describe("a new data directory", () => {
  it("is completed if its creation was cut short", async () => {
    const data = join(folder, "data")
    await mkdir(join(data, "base/5"), { recursive: true })
    await writeFile(join(data, "base/5/1259"), "half of a fi")
    expect(await within(`pglite://${data}`)).toEqual([{ buffers: "16MB", visits: 1 }])
    expect(await within(`pglite://${data}`)).toEqual([{ buffers: "16MB", visits: 2 }])
  })

  it("may be an empty folder that exists, such as a mounted one", async () => {
    const data = join(folder, "data")
    await mkdir(data)
    expect(await within(`pglite://${data}`)).toEqual([{ buffers: "16MB", visits: 1 }])
  })
})

describe("databases in memory", () => {
  it("share nothing, though they begin with the same files", async () => {
    expect(await within("pglite://memory")).toEqual([{ buffers: "16MB", visits: 1 }])
    expect(await within("pglite://memory")).toEqual([{ buffers: "16MB", visits: 1 }])
  })
})
