// Time from the save of a file to the first reply of the new code: `flange dev` beside `node --watch`,
// for the sample with each database and for an app without one. Requests go on meanwhile, each on a
// connection of its own: `failed` counts those without a reply, and `wait` is the longest.
// Run: node bench/dev.ts        Options: --rounds --quick
// PostgreSQL is the one of TEST_POSTGRES_URL, or postgres://postgres@127.0.0.1:5432/test.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { get } from "node:http"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import postgres from "postgres"
import * as Options from "./lib/Options.ts"
import * as Package from "./lib/Package.ts"
import * as Report from "./lib/Report.ts"
import { type Spread, spread } from "./lib/Statistics.ts"
import { table } from "./lib/Table.ts"

const options = Options.parse({ quick: { rounds: 3, seconds: 1 }, rounds: 10, seconds: 1 })
const noise = new Report.Noise()
const root = resolve(import.meta.dirname, "..")
const url = process.env["TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/test"
/** The tables of the sample are in a schema of their own: the tests use the database too. */
const schema = "flange_bench_dev"

const sample = {
  edited: "items/ItemsApi.ts",
  from: "examples/sample-api",
  path: "/v1/items/019b8d9c-6d40-7b31-9c58-1f3a5c1e2d4b",
  text: "does not exist"
}
const apps = {
  none: { edited: "main.ts", from: "examples/hello", path: "/hello/Ada", text: "Hello, " },
  pglite: sample,
  postgres: sample
} as const

const tools = {
  "flange dev": [Package.command, "dev", "--no-types", "main.ts"],
  "node --watch": ["--watch", "main.ts"]
} as const

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const ask = (port: number, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ agent: false, host: "127.0.0.1", path, port }, async (response) => {
      const chunks = await response.toArray().catch(reject)
      if (chunks !== undefined) resolve(Buffer.concat(chunks).toString())
    }).on("error", reject)
  })

/** Copies an app to a folder of its own, with the packages of the repository. */
const project = (from: string): string => {
  const folder = mkdtempSync(join(tmpdir(), "flange-dev-"))
  cpSync(join(root, from), folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }')
  for (const name of ["@effect/sql-pg", "@electric-sql/pglite", "effect", "flange"]) {
    const to = join(folder, "node_modules", name)
    mkdirSync(dirname(to), { recursive: true })
    symlinkSync(name === "flange" ? root : realpathSync(join(root, "node_modules", name)), to)
  }
  return folder
}

interface Sample {
  readonly failed: number
  readonly reply: number
  readonly wait: number
}

let words = 0

/** Saves another word, and waits for a reply that has it. */
const edit = async ({ file, path, port, text }: Variant): Promise<Sample> => {
  const word = `word${++words}`
  writeFileSync(file, text.replace(marked, word))
  const start = performance.now()
  let failed = 0
  let wait = 0
  while (true) {
    const sent = performance.now()
    const body = await ask(port, path).catch(() => {
      failed++
    })
    const now = performance.now()
    wait = Math.max(wait, now - sent)
    if (body?.includes(word) === true) return { failed, reply: now - start, wait }
    await pause(1)
  }
}

const marked = "MARKED"

interface Variant {
  readonly child: ChildProcess
  readonly file: string
  readonly folder: string
  readonly name: string
  readonly path: string
  readonly port: number
  readonly samples: Array<Sample>
  /** The edited file, with `MARKED` where the word is. */
  readonly text: string
}

const start = (name: keyof typeof apps, tool: keyof typeof tools, port: number): Variant => {
  const app = apps[name]
  const folder = project(app.from)
  const file = join(folder, app.edited)
  const { DATABASE_URL: _, ...environment } = process.env
  const child = spawn(process.execPath, [...tools[tool]], {
    cwd: folder,
    env: {
      ...environment,
      ...(name === "postgres" ? { DATABASE_URL: `${url}?schema=${schema}` } : {}),
      HOST: "127.0.0.1",
      PORT: String(port)
    },
    stdio: "ignore"
  })
  return {
    child,
    file,
    folder,
    name: `${name}, ${tool}`,
    path: app.path,
    port,
    samples: [],
    text: readFileSync(file, "utf8").replace(app.text, marked)
  }
}

Package.build()
const sql = postgres(url, { onnotice: () => {} })
await sql.unsafe(`drop schema if exists ${schema} cascade; create schema ${schema}`)
const variants: Array<Variant> = []
try {
  let port = 18_400
  for (const app of ["none", "pglite", "postgres"] as const) {
    for (const tool of ["flange dev", "node --watch"] as const) {
      const variant = start(app, tool, port++)
      variants.push(variant)
      while ((await ask(variant.port, variant.path).catch(() => {})) === undefined) await pause(50)
    }
  }
  for (let round = 0; round < options.rounds; round++) {
    // As between two edits of a person: `flange dev` has its spare process.
    await pause(2000)
    await noise.sample()
    for (const variant of variants) {
      variant.samples.push(await edit(variant))
      await pause(2000)
    }
    console.log(`round ${round + 1} of ${options.rounds}`)
  }
} finally {
  for (const { child, folder } of variants) {
    child.kill()
    if (child.exitCode === null) await once(child, "exit")
    rmSync(folder, { force: true, recursive: true })
  }
  await sql.unsafe(`drop schema ${schema} cascade`)
  await sql.end()
}

const of = ({ samples }: Variant, measure: keyof Sample): Spread =>
  spread(samples.map((each) => each[measure]))
const results = Object.fromEntries(
  variants.map((variant) => [
    variant.name,
    { failed: of(variant, "failed"), reply: of(variant, "reply"), wait: of(variant, "wait") }
  ])
)
const shown = ({ max, median, min }: Spread) =>
  `${median.toFixed(0)} (${min.toFixed(0)} to ${max.toFixed(0)})`
console.log("\nMilliseconds and requests: median (min to max)\n")
console.log(
  table(
    ["", "first reply of the new code", "longest wait", "failed"],
    Object.entries(results).map(([name, { failed, reply, wait }]) => [
      name,
      shown(reply),
      shown(wait),
      shown(failed)
    ])
  )
)
const circumstances = Report.circumstances(options, noise)
console.log(`\n${Report.describeWithoutLoad(circumstances)}`)
Report.write(`${Report.nameOf("dev", options)}.json`, { circumstances, results })
