// `flange doctor` as a process: healthy and sick projects, and what it prints.
import { execFile, execFileSync } from "node:child_process"
import { cp, readFile, writeFile } from "node:fs/promises"
import { type AddressInfo, createServer } from "node:net"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import {
  emptyFolder,
  environment,
  flange,
  node,
  project,
  type Ran,
  run,
  write
} from "../project.ts"

const root = join(import.meta.dirname, "../../..")
const cli = ["--conditions=flange-source", join(root, "src/Cli/main.ts"), "doctor"]

interface Result {
  readonly check: string
  readonly message: string
  readonly remedy?: string
  readonly state: string
}

const resultsOf = ({ stderr, stdout }: Ran): ReadonlyArray<Result> => {
  assert.notStrictEqual(stdout, "", stderr)
  return JSON.parse(stdout)
}

/** The results of one check. */
const of = (results: ReadonlyArray<Result>, check: string) =>
  results.filter((result) => result.check === check)

/** Runs the doctor with variables, and preloads a module that changes the process. */
const doctor = async (
  cwd: string,
  env: Record<string, string> = {},
  preload?: string
): Promise<readonly [ReadonlyArray<Result>, Ran]> => {
  const before =
    preload === undefined ? [] : [`--import=data:text/javascript,${encodeURIComponent(preload)}`]
  const ran = await run([...before, ...cli, "--json"], { cwd, env })
  return [resultsOf(ran), ran]
}

const mail = {
  "app.ts": `
    import * as Effect from "effect/Effect"
    import { App, Config, Doctor, HealthCheck, Plugin } from "flange"
    import * as Health from "flange/Health"

    const MailConfig = Config.section(
      "mail",
      { password: Config.Secret },
      { variables: { MAIL_PASSWORD: "password" } }
    )
    const Mail = Plugin.make("shop:mail", {
      config: [MailConfig],
      contributes: [
        Doctor.make("mail", {
          load: () => import("./MailDoctor.ts"),
          overrides: { server: { maxHeaders: 77 } }
        })
      ],
      health: {
        down: Effect.fail(new Error("the relay refuses us")),
        part: Effect.succeed(HealthCheck.degraded("one of two relays")),
        up: Effect.void
      },
      ready: () => Effect.die("nothing listens")
    })
    export const app = App.make("shop", [Health.plugin, Mail])`,
  "MailDoctor.ts": `
    import * as Console from "effect/Console"
    import * as Effect from "effect/Effect"
    import * as Redacted from "effect/Redacted"
    import { AppRuntime, Doctor } from "flange"

    export const checks = {
      broken: Effect.die(new Error("a defect")),
      noisy: Effect.as(Console.log("on stdout"), Doctor.ok("It is noisy.")),
      quota: Effect.map(AppRuntime, ({ id }) => Doctor.warning(id + " is full.", "Delete mail.")),
      slow: Effect.as(Effect.sleep("900 millis"), Doctor.ok("It is slow."))
    }`
}

describe("flange doctor", () => {
  let healthy: string
  beforeAll(async () => {
    healthy = await project({}, ["effect", "flange", "@effect/tsgo", "typescript"])
    await cp(join(root, "examples/sample-api"), healthy, { recursive: true })
    const options = {
      allowImportingTsExtensions: true,
      erasableSyntaxOnly: true,
      module: "nodenext",
      noEmit: true,
      strict: true,
      verbatimModuleSyntax: true
    }
    await write(healthy, {
      ".gitignore": ".env\n.flange\nnode_modules\n",
      "package-lock.json": "{}",
      "package.json": JSON.stringify({ name: "shop", type: "module" }),
      "tsconfig.json": JSON.stringify({ compilerOptions: options })
    })
    execFileSync("git", ["init", "--quiet"], { cwd: healthy })
    assert.strictEqual((await flange(healthy, "routes", "--write")).code, 0)
    assert.strictEqual((await flange(healthy, "migrate", "run")).code, 0)
  })

  it("finds nothing wrong with a healthy project, and has an entry for each check", async () => {
    const [results, { code, stderr }] = await doctor(healthy, { PORT: "0" })
    const isOfMachine = /^(?:backlog|cpu|disk|localhost|memory|open-files)$/
    const wrong = results.filter(
      ({ check, state }) => /failed|warning/.test(state) && !isOfMachine.test(check)
    )
    assert.deepStrictEqual(wrong, [])
    assert.deepStrictEqual(
      results.map(({ check }) => check),
      [
        "node",
        "effect",
        "package",
        "lock-file",
        "floating-effects",
        "tsconfig",
        "committed",
        "ignored",
        "clock",
        "clock-pace",
        "time-zone",
        "open-files",
        "memory",
        "cpu",
        "backlog",
        "disk",
        "localhost",
        "environment",
        "app",
        "configuration",
        "secrets",
        "plugins",
        "routes",
        "port",
        "start",
        "health.database",
        "database.clock",
        "database.connections",
        "database.migrations",
        "database.timeZone",
        "database.version"
      ]
    )
    assert.strictEqual(code, 0)
    assert.include(stderr, 'Starting "sample-api" without a listener')
    assert.notInclude(stderr, "Migration 0001_items.sql")
  })

  it("prints a table with remedies, a summary, and the reason of exit code 1 on stderr", async () => {
    const folder = await project(mail, ["effect", "flange"])
    const { code, stderr, stdout } = await run(cli, { cwd: folder, env: { FLANGE_ENV: "lokal" } })
    assert.match(stdout, /^STATE +CHECK +RESULT\nok +node +Node /)
    assert.match(
      stdout,
      /\nfailed +environment +"lokal" from variable FLANGE_ENV is not a known environment.*\n +-> Set FLANGE_ENV to one of /
    )
    assert.match(stdout, /\n\n\d+ ok, \d+ warnings, 1 failed, \d+ skipped\n$/)
    assert.match(stderr, /These checks failed: environment\. The remedy is beside each\.\n$/)
    assert.strictEqual(code, 1)
  })

  it("in a folder without an app checks the machine and the project", async () => {
    const [results, { code, stderr }] = await doctor(await emptyFolder())
    const [app] = of(results, "app")
    assert.strictEqual(app!.state, "skipped")
    assert.include(app!.message, "No app was found in ")
    assert.isAbove(results.length, 15)
    assert.deepStrictEqual([code, stderr], [0, ""])
  })

  it("with an app that cannot be loaded runs the others; a named file has to exist", async () => {
    const folder = await project({ "app.ts": "export const app = \n  App.make(" }, [
      "effect",
      "flange"
    ])
    const [results, { code }] = await doctor(folder)
    const [app] = of(results, "app")
    assert.strictEqual(app!.state, "failed")
    assert.include(app!.message, "The file app.ts cannot be loaded: ")
    assert.strictEqual(of(results, "effect")[0]!.state, "ok")
    assert.strictEqual(code, 1)
    const none = await run([...cli, "--app", "nowhere.ts"], { cwd: folder })
    assert.deepStrictEqual([none.code, none.stdout], [2, ""])
    assert.include(none.stderr, "The file nowhere.ts does not exist")
  })
})

describe("flange doctor finds", { concurrent: true }, () => {
  /** No test changes it. */
  let folder: string
  beforeAll(async () => {
    folder = await project(mail, ["effect", "flange"])
  })

  it("components that fail or work in part, and runs the checks of plugins", async () => {
    const [results, { code, stderr }] = await doctor(folder, {
      MAIL_PASSWORD: "hunter2",
      PORT: "0"
    })
    const shown = results
      .filter(({ check }) => /^(?:health|mail|start)/.test(check))
      .map(({ check, message, remedy, state }) => [state, check, message, remedy])
    assert.deepStrictEqual(shown, [
      ["ok", "start", "All plugins start without a listener.", undefined],
      ["failed", "health.down", "the relay refuses us", "Repair what the message names."],
      [
        "warning",
        "health.part",
        "It works in part: one of two relays.",
        "Repair what the message names."
      ],
      ["ok", "health.up", "The component works.", undefined],
      ["failed", "mail.broken", "a defect", "Repair what the message names."],
      ["ok", "mail.noisy", "It is noisy.", undefined],
      ["warning", "mail.quota", "shop is full.", "Delete mail."],
      ["ok", "mail.slow", "It is slow.", undefined]
    ])
    assert.include(stderr, "on stdout\n")
    assert.include(stderr, "Waiting for mail.slow\n")
    assert.notInclude(stderr, "Waiting for mail.quota")
    assert.strictEqual(code, 1)
  })

  it("checks of a plugin whose module cannot be loaded, and runs the others", async () => {
    const broken = await project(
      {
        "app.ts": `
          import * as Effect from "effect/Effect"
          import { App, Doctor, Plugin } from "flange"

          const load = () => Promise.reject(new Error("MailDoctor.ts is gone"))
          const checks = { room: Effect.succeed(Doctor.ok("There is room.")) }
          const Mail = Plugin.make("shop:mail", {
            contributes: [
              Doctor.make("mail", { load }),
              Doctor.make("disk", { load: () => Promise.resolve({ checks }) })
            ]
          })
          export const app = App.make("shop", [Mail])`
      },
      ["effect", "flange"]
    )
    const [results, { code }] = await doctor(broken, { PORT: "0" })
    assert.deepStrictEqual(
      results
        .filter(({ check }) => /^(?:disk\.|mail|start)/.test(check))
        .map(({ check, message, state }) => [state, check, message]),
      [
        ["ok", "start", "All plugins start without a listener."],
        ["failed", "mail", "MailDoctor.ts is gone"],
        ["ok", "disk.room", "There is room."]
      ]
    )
    assert.strictEqual(code, 1)
  })

  it("all problems of the configuration, and starts nothing then", async () => {
    const wrong = await project({ ...mail, "flange.toml": '[server]\nport = "x"\nprot = 1\n' }, [
      "effect",
      "flange"
    ])
    const [results] = await doctor(wrong, { FLANGE__HEALTH__DETAILS: "all" })
    const keys = ["health.details", "mail.password", "server.port", "server.prot"]
    const found = of(results, "configuration")
    assert.deepStrictEqual(
      found.map(({ state }) => state),
      ["failed", "failed", "failed", "warning"]
    )
    for (const [index, key] of keys.entries()) assert.include(found[index]!.message, key)
    assert.deepInclude(of(results, "start")[0], { state: "skipped" })
    assert.deepStrictEqual(of(results, "port"), [])
  })

  it("secrets that are placeholders or in a file of the repository, and never shows one", async () => {
    const secret = "correct-horse-battery"
    const repository = await project(
      { ...mail, "flange.toml": `[mail]\npassword = "${secret}"\n` },
      ["effect", "flange"]
    )
    const state = async (env: Record<string, string>) => {
      const [results, { stderr, stdout }] = await doctor(repository, { PORT: "0", ...env })
      assert.notInclude(stderr + stdout, secret)
      return of(results, "secrets")[0]!
    }
    const production = { FLANGE_ENV: "production" }
    const [local, deployed] = await Promise.all([state({}), state(production)])
    assert.deepStrictEqual([local.state, deployed.state], ["skipped", "ok"])
    execFileSync("git", ["init", "--quiet"], { cwd: repository })
    execFileSync("git", ["add", "flange.toml"], { cwd: repository })
    const [kept, guessed] = await Promise.all([
      state(production),
      state({ ...production, MAIL_PASSWORD: "smtp://me:password@relay/" })
    ])
    assert.strictEqual(kept.message, "mail.password is in flange.toml, which git keeps.")
    assert.strictEqual(kept.state, "failed")
    assert.strictEqual(
      guessed.message,
      "mail.password (variable MAIL_PASSWORD) is a placeholder, which everybody guesses."
    )
  })

  it("an environment that contradicts NODE_ENV", async () => {
    const [results] = await doctor(await emptyFolder(), { NODE_ENV: "production" })
    assert.include(of(results, "environment")[0]!.remedy, "fits FLANGE_ENV=production or staging")
  })

  it("a port on which something listens", async () => {
    const server = createServer().listen(0, "0.0.0.0")
    await new Promise((resolve) => server.once("listening", resolve))
    const { port } = server.address() as AddressInfo
    const [results] = await doctor(folder, { MAIL_PASSWORD: "x", PORT: String(port) })
    server.close()
    const [found] = of(results, "port")
    assert.strictEqual(found!.state, "warning")
    assert.include(found!.message, String(port))
  })

  it("a port of a plugin on which something listens, and none of a wrong place", async () => {
    const server = createServer().listen(0, "127.0.0.1")
    await new Promise((resolve) => server.once("listening", resolve))
    const { port } = server.address() as AddressInfo
    const watched = await project(
      {
        "app.ts": `
          import { App } from "flange"
          import * as Admin from "flange/Admin"

          export const app = App.make("watched", [Admin.plugin])`
      },
      ["effect", "flange"]
    )
    const found = async (ADMIN_PORT: string) => {
      const [results] = await doctor(watched, { ADMIN_PORT, PORT: "0" })
      return of(results, "port.admin")
    }
    const [[taken], [free], wrong] = await Promise.all([
      found(String(port)),
      found("0"),
      found("many")
    ])
    server.close()
    assert.strictEqual(taken!.state, "warning")
    assert.include(taken!.message, `http://127.0.0.1:${port} for the port "admin"`)
    assert.strictEqual(free!.state, "ok")
    assert.deepStrictEqual(wrong, [])
  })

  it("plugins that do not fit together, and routes that differ from the lock", async () => {
    const sample = await project({}, ["effect", "flange"])
    await cp(join(root, "examples/sample-api"), sample, { recursive: true })
    await flange(sample, "routes", "--write")
    const file = join(sample, "app.ts")
    const text = await readFile(file, "utf8")
    await writeFile(file, text.replace("  Database.transactional(),\n", ""))
    const [results] = await doctor(sample, { PORT: "0" })
    assert.include(of(results, "plugins")[0]!.message, "UndecidedTransaction: ")
    assert.deepInclude(of(results, "routes")[0], { state: "failed" })
    assert.deepInclude(of(results, "start")[0], { state: "skipped" })
  })

  it("a database that cannot be reached, within seconds", async () => {
    const sample = await project({}, ["effect", "flange"])
    await cp(join(root, "examples/sample-api"), sample, { recursive: true })
    const [results, { stderr, stdout }] = await doctor(sample, {
      DATABASE_URL: "postgres://me:correct-horse@127.0.0.1:1/shop",
      PORT: "0"
    })
    const [start] = of(results, "start")
    assert.strictEqual(start!.state, "failed")
    assert.include(start!.message, "127.0.0.1:1")
    assert.include(start!.message, "3s")
    assert.notInclude(stdout + stderr, "correct-horse")
  })

  it("pending migrations, although a plugin needs their tables to start", async () => {
    const shop = await project(
      {
        "app.ts": `
          import * as Effect from "effect/Effect"
          import * as Layer from "effect/Layer"
          import { SqlClient } from "effect/sql/SqlClient"
          import { App, Plugin } from "flange"
          import * as Database from "flange/Database"
          const Items = Plugin.make("app:items", {
            layer: Layer.effectDiscard(Effect.flatMap(SqlClient, (sql) => sql\`select * from items\`)),
            requires: [SqlClient]
          })
          export const app = App.make("shop", [Database.plugin, Items])`,
        "migrations/0001_items.sql": "create table items (id int);"
      },
      ["effect", "flange"]
    )
    const [results] = await doctor(shop, { PORT: "0" })
    assert.deepInclude(of(results, "start")[0], { state: "failed" })
    assert.deepInclude(of(results, "database.migrations")[0], {
      message: "1 migrations are pending: 0001_items.sql.",
      state: "warning"
    })
  })

  it("a wrong time zone, a wrong clock, a foreign localhost and a heap above the memory", async () => {
    const empty = await emptyFolder()
    const [results] = await doctor(
      empty,
      { NODE_OPTIONS: "--max-old-space-size=99999999", TZ: "Foo/Bar" },
      `import dns from "node:dns"
       import { syncBuiltinESMExports } from "node:module"
       dns.promises.lookup = async () => [{ address: "203.0.113.7", family: 4 }]
       syncBuiltinESMExports()
       const { now } = Date
       const start = now()
       Date.now = () => 86_400_000 + (now() - start) * 3`
    )
    const found = (check: string) => {
      const [{ message, state }] = of(results, check) as [Result]
      return `${state} ${message}`
    }
    assert.include(found("time-zone"), 'warning The variable TZ is "Foo/Bar"')
    assert.strictEqual(found("clock"), "failed The clock says that the year is 1970.")
    assert.match(found("clock-pace"), /^warning The clock moved by \d+ ms /)
    assert.include(found("localhost"), "failed The name localhost leads to 203.0.113.7")
    assert.match(found("memory"), /^warning The heap may grow to [\d.]+ GiB/)
  })

  it.runIf(process.platform === "linux")(
    "a limit on open files below server.maxConnections",
    async () => {
      const { stdout } = await new Promise<Ran>((resolve) => {
        const script = `ulimit -n 512; exec "${node}" ${cli.join(" ")} --json`
        const env = { ...environment, MAIL_PASSWORD: "x", PORT: "0" }
        execFile("bash", ["-c", script], { cwd: folder, env }, (_, stdout, stderr) =>
          resolve({ code: 0, stderr, stdout })
        )
      })
      const [found] = of(JSON.parse(stdout), "open-files")
      assert.strictEqual(found!.state, "warning")
      assert.include(found!.message, "may open 512 files, and server.maxConnections is 10000")
    }
  )
})
