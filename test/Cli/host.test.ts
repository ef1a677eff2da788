import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { files } from "./fixtures.ts"
import { emptyFolder, environment, flange, node, project, run } from "./project.ts"

const root = join(import.meta.dirname, "../..")

/** No test changes it. */
let folder: string
beforeAll(async () => {
  folder = await project(files, ["effect", "flange"])
})

const payload = '{"at":"2026-01-01T00:00:00.000Z","numbers":[1,2,3]}'

describe("flange", { concurrent: true }, () => {
  it("lists its commands and those of the app's plugins, and its exit codes", async () => {
    const { code, stdout } = await flange(folder, "--help")
    assert.match(
      stdout.replaceAll(/ +/g, " "),
      /SUBCOMMANDS\n action List .*\n(?: \w+ .*\n)+ routes List .*\n owner Print who owns the app\n/
    )
    assert.match(stdout, /Exit codes: 0 done; 1 .*; 2 .*; 130 interrupted\./)
    assert.strictEqual(code, 0)
  })

  it("lists its own commands if the app cannot be loaded, and says why", async () => {
    const { code, stderr, stdout } = await flange(folder, "--app", "nowhere.ts", "--help")
    assert.include(stdout, "routes")
    assert.include(
      stderr,
      "The commands of the app are left out. The file nowhere.ts does not exist"
    )
    assert.strictEqual(code, 0)
  })

  it("prints completions that have the commands of the app's plugins", async () => {
    const { stdout } = await flange(folder, "--completions", "bash")
    for (const name of ["action", "build", "generate", "owner", "routes"])
      assert.include(stdout, name)
  })

  it("prints its version without loading commands, and asks for a newer Node if it is too old", async () => {
    const old = encodeURIComponent(
      `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } })`
    )
    const cli = [
      "--conditions=flange-source",
      `--import=data:text/javascript,${old}`,
      join(root, "src/Cli/main.ts")
    ]
    const onOldNode = (...args: ReadonlyArray<string>) => run([...cli, ...args], { cwd: folder })
    const named = await onOldNode("--version")
    assert.deepStrictEqual([named.code, named.stderr], [0, ""])
    assert.match(named.stdout, /^flange v\d+\.\d+\.\d+\n$/)
    assert.strictEqual((await onOldNode("new", "--help")).code, 0)
    for (const args of [["--help"], ["routes"]]) {
      const { code, stderr, stdout } = await onOldNode(...args)
      assert.match(
        stderr,
        /needs Node [\d.]+ or newer, and .* is Node 20\.1\.0\. Install a newer Node/
      )
      assert.deepStrictEqual([code, stdout], [1, ""])
    }
  })

  it("without a command prints help on stderr, with exit code 2", async () => {
    for (const args of [[], ["action"]]) {
      const { code, stderr, stdout } = await flange(folder, ...args)
      assert.deepStrictEqual([code, stdout], [2, ""])
      assert.include(stderr, "SUBCOMMANDS")
    }
  })
})

describe("a command that a plugin brings", { concurrent: true }, () => {
  it("runs with the app of the command line; only its result is on stdout", async () => {
    const { code, stderr, stdout } = await flange(folder, "owner")
    assert.deepStrictEqual([code, stdout], [0, "The platform team owns sums 0.0.0\n"])
    assert.include(stderr, "the file of the app is loaded")
  })

  it("has help, and fails with a sentence", async () => {
    const help = await flange(folder, "owner", "--help")
    assert.include(help.stdout, "flange owner [flags]")
    const failed = await flange(folder, "owner", "--fail")
    assert.deepStrictEqual([failed.code, failed.stdout], [1, ""])
    assert.match(failed.stderr, /Nobody owns it\.\n$/)
  })

  it("is refused if another command has its name, or if it cannot be loaded", async () => {
    const broken = await project(
      {
        "app.ts": `
          import { App, Cli, Plugin } from "flange"
          const plugin = (id: string, name: string) =>
            Plugin.make(id, { contributes: [Cli.make(name, { load: () => import("./nowhere.ts") })] })
          export const one = App.make("one", [plugin("a", "routes"), plugin("b", "c")])
          export const two = App.make("two", [plugin("a", "c"), plugin("b", "c")])
          export default one`,
        "two.ts": `export { two as app } from "./app.ts"`
      },
      ["effect", "flange"]
    )
    const one = await flange(broken, "c")
    assert.strictEqual(
      one.stderr,
      'The command "routes" is brought by the plugin "a" and by flange itself. Rename one of them.\n'
    )
    const two = await flange(broken, "--app", "two.ts", "c")
    assert.include(
      two.stderr,
      'The command "c" of the plugin "a" cannot be loaded: Cannot find module'
    )
    assert.deepStrictEqual([one.code, two.code], [2, 2])
  })
})

describe("flange action", { concurrent: true }, () => {
  it("lists the actions, as JSON too", async () => {
    const { stdout } = await flange(folder, "action", "list")
    assert.strictEqual(
      stdout,
      [
        "NAME         PAYLOAD  PLUGIN",
        "sum.add      yes      app:sum",
        "sum.broken   -        app:sum",
        "sum.nothing  -        app:sum",
        "sum.wait     -        app:sum",
        ""
      ].join("\n")
    )
    const json = await flange(folder, "action", "list", "--json")
    assert.deepStrictEqual(JSON.parse(json.stdout)[0], {
      name: "sum.add",
      payload: true,
      plugin: "app:sum"
    })
  })

  it("runs an action without a listener, and prints its result as JSON on stdout alone", async () => {
    const added = await flange(folder, "action", "run", "sum.add", "--payload", payload)
    assert.strictEqual(added.code, 0, added.stderr)
    assert.deepStrictEqual(JSON.parse(added.stdout), { at: "2026-01-01T00:00:00.000Z", sum: 6 })
    assert.include(added.stderr, "adding\n")
    assert.include(added.stderr, "adding too")
    const nothing = await flange(folder, "action", "run", "sum.nothing")
    assert.deepStrictEqual([nothing.code, nothing.stdout], [0, "null\n"])
  })

  it("is interrupted by SIGINT, releases the app, and exits with 130", async () => {
    const child = spawn(
      node,
      ["--conditions=flange-source", join(root, "src/Cli/main.ts"), "action", "run", "sum.wait"],
      { cwd: folder, env: environment }
    )
    const closed = once(child, "close")
    let stderr = ""
    for await (const chunk of child.stderr) {
      stderr += chunk
      if (stderr.includes("waiting") && !child.killed) child.kill("SIGINT")
    }
    assert.deepStrictEqual(await closed, [130, null])
    assert.match(stderr, /Starting "sums" without a listener\n[^]*waiting[^]*interrupted/)
  })

  it("fails with exit code 1 if the action fails, and says how", async () => {
    const empty = payload.replace("1,2,3", "")
    const refused = await flange(folder, "action", "run", "sum.add", "--payload", empty)
    assert.include(refused.stderr, 'Refused {"_tag":"Refused","why":"there are no numbers"}')
    const broken = await flange(folder, "action", "run", "sum.broken")
    assert.include(broken.stderr, "Error: a defect\n    at ")
    for (const { code, stdout } of [broken, refused]) {
      assert.deepStrictEqual([code, stdout], [1, ""])
    }
  })
})

describe("a wrong command line", { concurrent: true }, () => {
  it.each<[string, string]>([
    ["action run sum.ad", 'The app "sums" has no action "sum.ad". Did you mean "sum.add"?'],
    [
      "action run mail",
      'The app "sums" has no action "mail". Its actions are: sum.add, sum.broken, sum.nothing, sum.wait.'
    ],
    ["action run sum.add", 'Action "sum.add" has a payload. Write it as JSON: --payload'],
    ["action run sum.add --payload {", "--payload is not JSON: "],
    [`action run sum.add --payload {"at":"x"}`, 'at ["numbers"]'],
    ["action run sum.nothing --payload 7", "Expected null"],
    ["action run", "Missing required argument: name"],
    [
      "ownr",
      'There is no command "ownr": neither flange nor a plugin of the app "sums" has it. Did you mean "owner"?'
    ],
    ["migrate run", "Add Database.plugin of flange/Database to the app."],
    ["routes --chek", "Unrecognized flag: --chek"],
    [
      "routes OwnerCommand.ts",
      "The file OwnerCommand.ts has no app: it exports command. Write: export const app = App.make("
    ],
    ["routes .", ". is a folder. Write the file in it that exports the app, such as app.ts"],
    [
      "--app nowhere.ts owner",
      "The file nowhere.ts does not exist. Write the path of the file that exports the app, relative to "
    ]
  ])("%s", async (args, message) => {
    const { code, stderr, stdout } = await flange(folder, ...args.split(" "))
    assert.include(stderr, message)
    assert.notInclude(stderr, "    at ")
    assert.deepStrictEqual([code, stdout], [2, ""])
  })

  it("where there is no app names the files that were looked for", async () => {
    const empty = await emptyFolder()
    const routes = await flange(empty, "routes")
    assert.include(
      routes.stderr,
      "there is no src/app.ts, app.ts, src/main.ts or main.ts. Name its file: --app"
    )
    const unknown = await flange(empty, "owner")
    assert.include(
      unknown.stderr,
      `There is no command "owner": flange has no command of this name, and no app was found in ${empty}`
    )
    assert.deepStrictEqual([routes.code, unknown.code], [2, 2])
  })

  it("with a file that cannot be loaded has the reason and the place", async () => {
    const broken = await project(
      { "app.ts": "export const app = \n  App.make(", "thrown.ts": `throw new Error("no key")` },
      ["effect", "flange"]
    )
    const syntax = await flange(broken, "routes")
    assert.match(syntax.stderr, /^The file app\.ts cannot be loaded: .*app\.ts:2\)/)
    const thrown = await flange(broken, "routes", "thrown.ts")
    assert.include(thrown.stderr, "The file thrown.ts cannot be loaded: no key")
  })
})

describe("importing flange and its batteries", () => {
  it("loads nothing of effect/cli", async () => {
    const program = `
      import { registerHooks } from "node:module"
      import { readFileSync } from "node:fs"
      const seen = []
      registerHooks({ resolve: (name, context, next) => {
        const found = next(name, context)
        seen.push(found.url)
        return found
      } })
      const { exports } = JSON.parse(readFileSync("package.json", "utf8"))
      for (const path of Object.keys(exports)) {
        if (!path.includes("*") && !path.endsWith(".json")) await import("flange" + path.slice(1))
      }
      const cli = (urls) => urls.filter((url) => url.includes("/effect/") && url.includes("/cli/"))
      const before = cli(seen).length
      await import("./src/Layers/Database/Migration/MigrateCommand.ts")
      console.log(JSON.stringify([seen.length > 100, before, cli(seen).length > 0]))`
    const { stderr, stdout } = await run(
      ["--conditions=flange-source", "--input-type=module", "--eval", program],
      { cwd: root }
    )
    assert.strictEqual(stdout.trim(), "[true,0,true]", stderr)
  })
})
