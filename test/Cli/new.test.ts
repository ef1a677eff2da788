// `flange new` as a process without a terminal.
import { mkdir, readdir, readFile, symlink } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { assert, describe, expect, it } from "vitest"
import * as Flange from "../../src/Cli/New/Flange.ts"
import * as Name from "../../src/Cli/New/Name.ts"
import { emptyFolder, flange, project, run, write } from "./project.ts"

const root = join(import.meta.dirname, "../..")

const read = (...path: ReadonlyArray<string>) => readFile(join(...path), "utf8")

/** Runs a command that is refused, and returns the reason. Nothing may be written. */
const refusal = async (folder: string, ...args: ReadonlyArray<string>) => {
  const before = await readdir(folder)
  const { code, stderr, stdout } = await flange(folder, "new", ...args)
  assert.deepStrictEqual({ code, stdout }, { code: 2, stdout: "" }, stderr)
  assert.deepStrictEqual(await readdir(folder), before)
  return stderr
}

describe("flange new", () => {
  it("makes a project with the defaults, and prints the next commands", async () => {
    const folder = await emptyFolder()
    const { code, stderr, stdout } = await flange(folder, "new", "shop")
    assert.deepStrictEqual(
      { code, stderr, stdout },
      {
        code: 0,
        stderr: "",
        stdout: "shop has 27 files.\n\n  cd shop\n  npm install\n  npm start\n  npm test\n"
      }
    )
    const { dependencies, name, version } = JSON.parse(await read(folder, "shop/package.json"))
    expect({ name, version }).toEqual({ name: "shop", version: "0.1.0" })
    expect(Object.keys(dependencies)).toContain("@electric-sql/pglite")
    expect(await read(folder, "shop/src/auth/AuthPlugin.ts")).toContain("Auth.jwt")
    expect(await read(folder, "shop/src/items/ItemsPlugin.ts")).toContain("Route.protected")
  })

  it("takes the template, the database and the authentication from the command line", async () => {
    const folder = await emptyFolder()
    const args = ["blog", "--template", "full", "--db", "mysql", "--answer", "auth=none"]
    assert.strictEqual((await flange(folder, "new", ...args)).code, 0)
    const { dependencies } = JSON.parse(await read(folder, "blog/package.json"))
    expect(Object.keys(dependencies)).toEqual(["effect", "flange", "mysql2"])
    expect(await read(folder, "blog/src/app.ts")).toContain("RateLimit.plugin")
    expect(await read(folder, "blog/src/items/ItemsPlugin.ts")).toContain("Route.public")
  })

  it("takes a path, of which the last part is the name, and an empty folder", async () => {
    const folder = await emptyFolder()
    const nested = await flange(folder, "new", "services/shop/", "--template", "minimal")
    expect(nested.stdout).toContain("shop has 19 files.\n\n  cd services/shop\n")
    await mkdir(join(folder, "blog"))
    const here = await flange(join(folder, "blog"), "new", ".", "--template", "minimal")
    expect(here.stdout).toBe("blog has 19 files.\n\n  npm install\n  npm start\n  npm test\n")
    expect(JSON.parse(await read(folder, "blog/package.json")).name).toBe("blog")
  })

  it("needs a name if there is no terminal to ask in", async () => {
    expect(await refusal(await emptyFolder())).toBe("The name is missing. Write: flange new shop\n")
  })

  it("refuses names that npm or Kubernetes refuse, and suggests others", async () => {
    expect(await refusal(await emptyFolder(), "My Shop")).toBe(
      'The name "My Shop" cannot be used: npm and Kubernetes take at most 63 lower-case letters, digits and single hyphens, beginning with a letter. Write: flange new my-shop\n'
    )
    for (const [name, suggested] of [
      ["Café_Crème", "cafe-creme"],
      ["@acme/shop", "acme-shop"],
      ["C:\\work\\shop", "c-work-shop"],
      ["2shop", "shop"],
      ["shop--api-", "shop-api"],
      [`it's "ours"`, "it-s-ours"],
      ["漢字", "shop"],
      ["s".repeat(64), "s".repeat(63)]
    ] as const) {
      expect(Name.problem(name)).toContain(`Write: flange new ${suggested}`)
    }
  })

  it("refuses names of packages that the project needs", () => {
    for (const name of ["effect", "flange", "vitest"]) {
      expect(Name.problem(name)).toBe(
        `The name "${name}" is that of a package that the project needs, and npm installs no package into itself. Write: flange new my-${name}`
      )
    }
  })

  it("refuses a folder that is not empty, and a file", async () => {
    const folder = await project({ "notes/b.md": "", "notes/a.md": "", shop: "" })
    expect(await refusal(folder, "notes")).toBe(
      `The folder ${join(folder, "notes")} is not empty: it has a.md and 1 more. Choose another name, or empty the folder.\n`
    )
    expect(await refusal(folder, "shop")).toBe(
      `${join(folder, "shop")} is a file. Choose another name.\n`
    )
  })

  it("refuses an answer to no question, and two answers", async () => {
    const folder = await emptyFolder()
    expect(await refusal(folder, "shop", "--answer", "aut=jwt")).toBe(
      'The template has no question "aut". Did you mean "auth"?\n'
    )
    expect(await refusal(folder, "shop", "--db", "mysql", "--answer", "db=none")).toBe(
      "--db and --answer db=none are both given: write one of them\n"
    )
  })

  it("refuses a template that is nowhere, and names the nearest", async () => {
    const folder = await emptyFolder()
    expect(await refusal(folder, "shop", "--template", "ful")).toContain('Did you mean "full"?')
    expect(await refusal(folder, "shop", "--template", "@acme/flange")).toBe(
      `There is no template "@acme/flange": flange has api, full, minimal, and no package of this name can be imported in ${folder} or beside flange. Install it here, or name it for npx: npx --package @acme/flange --package flange flange new\n`
    )
  })

  it("writes the path of a packed flange relative to the project", async () => {
    const folder = await project({ "pack/flange.tgz": "" })
    const args = ["in/shop", "--template", "minimal", "--package", "pack/flange.tgz"]
    assert.strictEqual((await flange(folder, "new", ...args)).code, 0)
    const { dependencies } = JSON.parse(await read(folder, "in/shop/package.json"))
    expect(dependencies.flange).toBe("file:../../pack/flange.tgz")
    expect(await refusal(folder, "blog", "--package", "flange.tgz")).toBe(
      `--package flange.tgz does not exist in ${folder}. Write the path of the packed Flange, such as ../flange/flange-0.1.0.tgz, or a version\n`
    )
  })

  it("writes everything else that npm takes as it is", async () => {
    for (const spec of ["^0.1.0", "latest", "npm:@acme/fork@1.0.0", "https://example.com/a.tgz"]) {
      expect(await Effect.runPromise(Flange.spec("/work/shop", spec))).toBe(spec)
    }
  })

  it("loads no other command, which an older Node could not run", async () => {
    const program = `
      import { registerHooks } from "node:module"
      const commands = []
      registerHooks({ resolve: (name, context, next) => {
        const found = next(name, context)
        if (found.url.includes("/Cli/Commands/")) commands.push(found.url.split("/").at(-1))
        return found
      } })
      process.on("exit", () => console.error(commands.join()))
      process.argv.push("flange", "new", "--help")
      await import(${JSON.stringify(join(root, "src/Cli/main.ts"))})`
    const args = ["--conditions=flange-source", "--input-type=module", "--eval", program]
    const { code, stderr, stdout } = await run(args, { cwd: root })
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "NewCommand.ts\n" })
    expect(stdout).toContain("flange new")
  })

  it("asks nothing of an app in the working directory", async () => {
    const folder = await project({ "app.ts": "this is no TypeScript" })
    assert.strictEqual((await flange(folder, "new", "shop")).code, 0)
  })
})

const acme = {
  "index.ts": `import * as Schema from "effect/Schema"
import { Plugin } from "flange"
import { Template } from "flange/Cli"

console.log("the package is loaded")

export const AcmePlugin = Plugin.make("acme:all", {})

export const template = Template.make({
  description: "A service of Acme",
  files: ({ answers, ...project }) => ({
    ...Template.files({
      ...project,
      auth: "none",
      db: answers.queue ? "postgres" : "none",
      plugins: [{ from: "@acme/flange", name: "AcmePlugin", version: "1.2.3" }],
      template: "api"
    }),
    CODEOWNERS: \`* @acme/\${answers.team}\\n\`,
    "deploy/region.txt": answers.region satisfies "eu" | "us"
  }),
  questions: {
    queue: Template.confirm({ default: false, message: "Does it need a queue?" }),
    region: Template.choice({
      choices: { eu: "Frankfurt", us: "Oregon" },
      default: "eu",
      message: "Which region?"
    }),
    team: Template.text({
      message: "Which team owns it?",
      schema: Schema.String.check(Schema.isPattern(/^[a-z]+$/, { expected: "small letters" }))
    })
  }
})
`,
  "package.json": `{ "name": "@acme/flange", "type": "module", "exports": { "import": "./index.ts" } }`
}

/** A folder in which a package is installed. */
const withPackage = async (name: string, files: Readonly<Record<string, string>>) => {
  const folder = await project({}, ["effect", "flange"])
  await write(join(folder, "packages"), files)
  await mkdir(join(folder, "node_modules", name, ".."), { recursive: true })
  await symlink(join(folder, "packages"), join(folder, "node_modules", name))
  return folder
}

describe("the template of an organisation", () => {
  it("makes its files from the answers, on those of a built-in template", async () => {
    const folder = await withPackage("@acme/flange", acme)
    const args = ["--template", "@acme/flange", "--answer", "team=platform"]
    const { code, stderr, stdout } = await flange(folder, "new", "shop", ...args)
    assert.strictEqual(code, 0, stderr)
    expect(stdout).toMatch(/^shop has /)
    expect(stderr).toBe("the package is loaded\n")
    expect(await read(folder, "shop/CODEOWNERS")).toBe("* @acme/platform\n")
    expect(await read(folder, "shop/deploy/region.txt")).toBe("eu")
    expect(await read(folder, "shop/src/app.ts")).toContain(
      `import { AcmePlugin } from "@acme/flange"
import { App, Preset } from "flange"`
    )
    const { dependencies } = JSON.parse(await read(folder, "shop/package.json"))
    expect(dependencies["@acme/flange"]).toBe("1.2.3")
    const more = ["--answer", "queue=true", "--answer", "region=us"]
    await flange(folder, "new", "queue", ...args, ...more)
    expect(await read(folder, "queue/deploy/region.txt")).toBe("us")
    expect(await read(folder, "queue/src/app.ts")).toContain("Database.plugin")
  })

  it("may be a file, and has to be made with Template.make", async () => {
    const folder = await project(
      {
        "broken.ts": 'throw new Error("it is broken")',
        "empty.ts": "export const template = { files: () => ({}) }",
        "outside.ts": `import { Template } from "flange/Cli"
export const template = Template.make({
  description: "",
  files: () => ({ "a.txt": "", "../b.txt": "" }),
  questions: {}
})`
      },
      ["effect", "flange"]
    )
    const refused = (file: string) => refusal(folder, "shop", "--template", `./${file}`)
    expect(await refused("broken.ts")).toContain(
      "The template ./broken.ts cannot be loaded: it is broken"
    )
    expect(await refused("absent.ts")).toContain("The template ./absent.ts cannot be loaded: ")
    expect(await refused("empty.ts")).toBe(
      "./empty.ts has no template: it has to export one as `template`, made with Template.make of flange/Cli\n"
    )
    expect(await refused("outside.ts")).toContain('The template has the file "../b.txt"')
  })

  it("leaves nothing if it throws, or a file cannot be written", async () => {
    const folder = await project(
      {
        "template.ts": `import { Template } from "flange/Cli"
export const template = Template.make({
  description: "",
  files: () => ({ "a/b.txt": "", "c": "", "c/d.txt": "" }),
  questions: {}
})`
      },
      ["effect", "flange"]
    )
    await write(folder, {
      "throws.ts": `import { Template } from "flange/Cli"
export const template = Template.make({
  description: "",
  files: () => { throw new Error("no team has this name") },
  questions: {}
})`
    })
    const before = await readdir(folder)
    const thrown = await flange(folder, "new", "shop", "--template", "./throws.ts")
    expect([thrown.code, thrown.stderr]).toEqual([
      1,
      "The template cannot make its files: no team has this name\n"
    ])
    const failed = await flange(folder, "new", "services/shop", "--template", "./template.ts")
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain("The project cannot be written: ")
    expect(await readdir(folder)).toEqual(before)
    await mkdir(join(folder, "empty"))
    await flange(join(folder, "empty"), "new", ".", "--template", "../template.ts")
    expect(await readdir(join(folder, "empty"))).toEqual([])
  })
})
