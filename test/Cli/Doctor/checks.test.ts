// The checks of `flange doctor` that look at one folder or one value, each with a fault that it finds.
import { execFileSync } from "node:child_process"
import { utimes } from "node:fs/promises"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { assert, describe, it } from "vitest"
import * as Check from "../../../src/Cli/Doctor/Check.ts"
import * as Clock from "../../../src/Cli/Doctor/Clock.ts"
import * as Installation from "../../../src/Cli/Doctor/Installation.ts"
import * as Machine from "../../../src/Cli/Doctor/Machine.ts"
import * as Repository from "../../../src/Cli/Doctor/Repository.ts"
import * as Settings from "../../../src/Cli/Doctor/Settings.ts"
import * as TypeScript from "../../../src/Cli/Doctor/TypeScript.ts"
import { emptyFolder, project, write } from "../project.ts"

/** Runs the check of that name. Returns its states, and the text of all findings. */
const found = async (checks: ReadonlyArray<Check.Check<any>>, name: string) => {
  const check: Check.Check<any> = checks.find((one) => one.name === name)!
  const results = await Effect.runPromise(
    Effect.provide(Check.run(check), NodeServices.layer) as Effect.Effect<
      ReadonlyArray<Check.Result>
    >
  )
  for (const { remedy, state } of results) {
    assert.strictEqual(remedy !== undefined, state === "failed" || state === "warning", name)
  }
  return {
    states: results.map(({ state }) => state),
    text: results.map(({ message, remedy }) => `${message} ${remedy ?? ""}`).join("\n")
  }
}

const manifest = (values: object) => JSON.stringify({ name: "p", ...values })

describe("the checks of the installation", () => {
  it("accept a project with one Effect, a type and a lock file", async () => {
    const folder = await project(
      { "package-lock.json": "{}", "package.json": manifest({ type: "module" }) },
      ["effect", "flange", "@effect/tsgo"]
    )
    const checks = Installation.checks(folder)
    assert.deepStrictEqual(
      await Promise.all(
        checks.map(async ({ name }) => [name, ...(await found(checks, name)).states])
      ),
      [
        ["node", "ok"],
        ["effect", "ok"],
        ["package", "ok"],
        ["lock-file", "ok"],
        ["floating-effects", "ok"]
      ]
    )
  })

  it.each([
    ["hoisted beside it", "node_modules/effect"],
    ["below a package", "node_modules/mailer/node_modules/effect"],
    ["below a package of a scope", "node_modules/@acme/mailer/node_modules/effect"],
    ["in the store of pnpm", "node_modules/.pnpm/effect@3.0.0/node_modules/effect"]
  ])("find a second copy of Effect %s", async (_, place) => {
    const folder = await project({ [`${place}/package.json`]: manifest({ version: "3.0.0" }) }, [])
    const { states, text } = await found(Installation.checks(join(folder, ".")), "effect")
    assert.deepStrictEqual(states, ["failed"])
    assert.include(text, `There are 2 copies of effect: `)
    assert.include(text, `3.0.0 in ${join(folder, place)}`)
    assert.include(text, "npm dedupe")
  })

  it("find a package.json of CommonJS, one without a type, and none", async () => {
    const of = async (files: Record<string, string>) =>
      found(Installation.checks(await project(files)), "package")
    const common = await of({ "package.json": manifest({ type: "commonjs" }) })
    assert.deepStrictEqual(common.states, ["failed"])
    assert.include(common.text, 'Write "type": "module" into ')
    assert.deepStrictEqual((await of({ "package.json": manifest({}) })).states, ["warning"])
    assert.deepStrictEqual((await of({})).states, ["warning"])
  })

  it("find that there is no lock file and no @effect/tsgo; those of a workspace count", async () => {
    const folder = await project({ "services/orders/package.json": manifest({}) })
    const inner = join(folder, "services/orders")
    for (const name of ["lock-file", "floating-effects"]) {
      assert.deepStrictEqual((await found(Installation.checks(inner), name)).states, ["warning"])
    }
    await write(folder, {
      "node_modules/@effect/tsgo/package.json": "{}",
      "pnpm-lock.yaml": ""
    })
    for (const name of ["lock-file", "floating-effects"]) {
      assert.deepStrictEqual((await found(Installation.checks(inner), name)).states, ["ok"])
    }
  })

  it("say what is wrong with a package.json that is not JSON", async () => {
    const folder = await project({ "package.json": "{" })
    assert.deepStrictEqual((await found(Installation.checks(folder), "package")).states, ["failed"])
  })
})

describe("the check of tsconfig.json", () => {
  const good = {
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    module: "nodenext",
    noEmit: true,
    strict: true,
    verbatimModuleSyntax: true
  }
  const of = async (files: Record<string, string>, installed = ["typescript"]) => {
    const folder = await project({ "a.ts": "", ...files }, installed)
    return found([TypeScript.check(folder)], "tsconfig")
  }

  it("accepts options that an extended file sets, with comments", async () => {
    const { states, text } = await of({
      "base.json": JSON.stringify({ compilerOptions: good }),
      "tsconfig.json": '{ // as the others\n "extends": "./base.json" }'
    })
    assert.deepStrictEqual(states, ["ok"], text)
  })

  it("runs the compiler of a workspace in the folder of one of its packages", async () => {
    const workspace = await project(
      { "shop/a.ts": "", "shop/tsconfig.json": JSON.stringify({ compilerOptions: good }) },
      ["typescript"]
    )
    const { states, text } = await found([TypeScript.check(join(workspace, "shop"))], "tsconfig")
    assert.deepStrictEqual(states, ["ok"], text)
  })

  it("finds each option that is missing or false", async () => {
    const { erasableSyntaxOnly: _, ...rest } = good
    const { states, text } = await of({
      "tsconfig.json": JSON.stringify({ compilerOptions: { ...rest, strict: false } })
    })
    assert.deepStrictEqual(states, ["warning", "warning"])
    assert.include(text, 'Write "erasableSyntaxOnly": true into its compilerOptions')
    assert.include(text, 'Write "strict": true into its compilerOptions')
  })

  it("finds that there is no file, no compiler, and a compiler that does not answer", async () => {
    assert.include((await of({})).text, "There is no tsconfig.json")
    assert.include((await of({ "tsconfig.json": "{}" }, [])).text, "npm install -D typescript")
    const compiler = {
      "node_modules/typescript/bin/tsc": 'console.log("boom")',
      "node_modules/typescript/package.json": "{}"
    }
    const broken = await of({ ...compiler, "tsconfig.json": "{}" }, [])
    assert.deepStrictEqual(broken.states, ["failed"])
    assert.include(broken.text, "tsconfig.json cannot be read: boom")
  })
})

describe("the checks of the repository", () => {
  const repository = async (files: Record<string, string>) => {
    const folder = await project(files)
    execFileSync("git", ["init", "--quiet"], { cwd: folder })
    return folder
  }

  it("accept a repository that ignores .env and .flange", async () => {
    const folder = await repository({
      ".env": "A=1",
      ".env.example": "A=",
      ".gitignore": ".env\n.env.local\n.flange/\n"
    })
    execFileSync("git", ["add", "."], { cwd: folder })
    for (const name of ["committed", "ignored"]) {
      assert.deepStrictEqual((await found(Repository.checks(folder), name)).states, ["ok"], name)
    }
  })

  it("find .env and .flange in the repository, and that git would add them", async () => {
    const folder = await repository({
      ".env": "A=1",
      ".env.production": "A=2",
      ".flange/data/x": "",
      "src/.env": "not the file that the app reads"
    })
    const open = await found(Repository.checks(folder), "ignored")
    assert.deepStrictEqual(open.states, ["warning", "warning"])
    assert.include(open.text, "Write the line .flange into ")
    execFileSync("git", ["add", "."], { cwd: folder })
    const { states, text } = await found(Repository.checks(folder), "committed")
    assert.deepStrictEqual(states, ["failed", "failed", "failed"])
    assert.include(text, 'git rm --cached ".env.production"')
  })

  it("are skipped outside of a repository", async () => {
    const folder = await emptyFolder()
    for (const name of ["committed", "ignored"]) {
      assert.deepStrictEqual((await found(Repository.checks(folder), name)).states, ["skipped"])
    }
  })
})

describe("the checks of the machine", () => {
  const limits = (soft: string) =>
    `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${soft.padEnd(20)} 524288               files     \n`

  it("find a limit on open files below the connections of the server", () => {
    const { message, remedy, state } = Machine.openFiles(limits("1024"), 10_000)
    assert.strictEqual(state, "warning")
    assert.include(message, "may open 1024 files, and server.maxConnections is 10000")
    assert.include(remedy!, "ulimit -n 10200")
    assert.strictEqual(Machine.openFiles(limits("1024"), 800).state, "ok")
    assert.strictEqual(Machine.openFiles(limits("unlimited"), 1e6).state, "ok")
    assert.strictEqual(Machine.openFiles(undefined, 1).state, "skipped")
  })

  it("find a heap that does not fit into the memory", () => {
    const gibibyte = 1024 ** 3
    const { remedy, state } = Machine.memory(4 * gibibyte, gibibyte)
    assert.strictEqual(state, "warning")
    assert.strictEqual(remedy, "Set NODE_OPTIONS=--max-old-space-size=768")
    assert.strictEqual(Machine.memory(0.5 * gibibyte, gibibyte).state, "ok")
  })

  it("find a quota of less than one CPU", () => {
    const { message, state } = Machine.cpu("50000 100000\n", 4)
    assert.strictEqual(state, "warning")
    assert.include(message, "0.5 CPU")
    assert.deepStrictEqual(
      ["max 100000", "200000 100000", undefined].map((quota) => Machine.cpu(quota, 4).message),
      [
        "The process has 4 of 4 CPUs.",
        "The process has 2 of 4 CPUs.",
        "The process has 4 of 4 CPUs."
      ]
    )
  })

  it("find a short queue of connections", () => {
    assert.strictEqual(Machine.backlog("128\n").state, "warning")
    assert.strictEqual(Machine.backlog("4096\n").state, "ok")
    assert.strictEqual(Machine.backlog(undefined).state, "skipped")
  })

  it.runIf(process.platform === "linux")("find a disk without free space", async () => {
    const { states, text } = await found(Machine.checks("/proc", 1), "disk")
    assert.deepStrictEqual(states, ["failed"])
    assert.include(text, "/proc has 0 MiB of free space.")
  })
})

describe("the checks of the clock", () => {
  it("find files of the future", async () => {
    const folder = await project({ "package.json": "{}" })
    assert.deepStrictEqual((await found(Clock.checks(folder), "clock")).states, ["ok"])
    const later = new Date(Date.now() + 3_600_000)
    await utimes(join(folder, "package.json"), later, later)
    const { states, text } = await found(Clock.checks(folder), "clock")
    assert.deepStrictEqual(states, ["warning"])
    assert.include(text, "package.json was written in the future")
  })
})

describe("a placeholder", () => {
  it.each([
    "change-me-please",
    "changeme",
    "<your password>",
    "xxxxxx",
    "TODO",
    "${SECRET}",
    "postgres://app:postgres@db/app",
    "local-secret-never-use-it"
  ])("is %s", (text) => {
    assert.isTrue(Settings.isPlaceholder(text))
  })

  it.each([
    "",
    "correct-horse-battery",
    "postgres://app@db/app",
    "postgres://app:Xk3-qq@db/test",
    "secretary"
  ])("is not %s", (text) => {
    assert.isFalse(Settings.isPlaceholder(text))
  })
})

describe("a check", () => {
  it("that fails, dies or does not end is a failed check", async () => {
    const of = (run: Effect.Effect<never, unknown>) => found([{ name: "own", run }], "own")
    assert.include((await of(Effect.fail(new Error("no quota")))).text, "no quota")
    assert.include((await of(Effect.die("a defect"))).text, "a defect")
    const [late] = await Effect.runPromise(
      Check.run({ name: "own", run: Effect.never }, Duration.millis(20))
    )
    assert.deepInclude(late, {
      check: "own",
      message: "The check did not end within 20ms.",
      state: "failed"
    })
  })
})
