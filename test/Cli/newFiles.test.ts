// What `flange new` writes passes the checks of the project that it is written to.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, beforeAll, describe, expect, it } from "vitest"
import { longName, projects } from "./newFiles.ts"
import { project, run } from "./project.ts"

const root = join(import.meta.dirname, "../..")
const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"))

/** A program that prints the locks of all projects. */
const locks = `import { readdirSync } from "node:fs"
import { App } from "flange"
import * as Lock from "./node_modules/flange/src/Cli/Routes/Lock.ts"

const locks: Record<string, string> = {}
for (const entry of readdirSync(".", { withFileTypes: true })) {
  if (!entry.isDirectory() || entry.name === "node_modules") continue
  const { app } = await import(\`./\${entry.name}/src/app.ts\`)
  locks[entry.name] = Lock.print(Lock.of(App.describe(app)))
}
console.log(JSON.stringify(locks))
`

const packageOf = (name: string) => JSON.parse(projects.get(name)!["package.json"]!)

describe("the files of a template", () => {
  it("are those of the layout", () => {
    expect(Object.keys(projects.get("minimal")!).sort()).toEqual([
      ".github/workflows/ci.yml",
      ".gitignore",
      ".npmrc",
      ".oxfmtrc.json",
      ".oxlintrc.json",
      ".vscode/extensions.json",
      ".vscode/settings.json",
      "AGENTS.md",
      "README.md",
      "flange.toml",
      "package.json",
      "routes.lock",
      "src/app.ts",
      "src/hello/HelloApi.ts",
      "src/hello/HelloPlugin.ts",
      "src/main.ts",
      "test/hello.test.ts",
      "tsconfig.json",
      "vitest.config.ts"
    ])
  })

  it("differ between templates by what the template adds", () => {
    const added = (one: string, other: string) =>
      Object.keys(projects.get(other)!)
        .filter((path) => !(path in projects.get(one)!))
        .sort()
    expect(added("minimal", "api-none-none")).toEqual([
      "src/items/Item.ts",
      "src/items/ItemsApi.ts",
      "src/items/ItemsPlugin.ts",
      "src/items/ItemsRepo.ts",
      "test/items.test.ts"
    ])
    expect(added("api-none-none", "api-none-pglite")).toEqual([
      "src/items/ItemRow.ts",
      "src/migrations/0001_items.sql"
    ])
    expect(added("api-none-pglite", "api-jwt-pglite")).toEqual([
      "src/auth/AuthConfig.ts",
      "src/auth/AuthPlugin.ts",
      "test/auth.test.ts",
      "tools/token.ts"
    ])
    expect(added("api-jwt-pglite", "full-jwt-pglite")).toEqual([
      "deploy/Dockerfile",
      "deploy/Dockerfile.dockerignore",
      "deploy/k8s/controller/configmap.yaml",
      "deploy/k8s/deployment.yaml",
      "deploy/k8s/ingress.yaml",
      "deploy/k8s/roles/scheduler.yaml",
      "deploy/k8s/roles/worker.yaml",
      "deploy/k8s/service.yaml"
    ])
  })

  it("have the versions with which Flange is tested, and the drivers that the database needs", () => {
    const versions = { ...manifest.devDependencies, ...manifest.dependencies }
    for (const name of projects.keys()) {
      const { dependencies, devDependencies } = packageOf(name)
      expect(dependencies.flange).toBe("0.1.0")
      for (const [each, version] of Object.entries({ ...dependencies, ...devDependencies })) {
        if (each !== "flange") expect(version, each).toBe(versions[each])
      }
    }
    const production = (name: string) => Object.keys(packageOf(name).dependencies)
    expect(production("api-jwt-none")).toEqual(["effect", "flange", "jose"])
    expect(production("api-none-mysql")).toEqual(["effect", "flange", "mysql2"])
    expect(production("api-none-pglite")).toEqual([
      "@effect/sql-pg",
      "@electric-sql/pglite",
      "effect",
      "flange"
    ])
    expect(production("full-api-key-postgres")).toEqual(["@effect/sql-pg", "effect", "flange"])
  })

  it("have the name of the project, and that of no other", () => {
    for (const [path, text] of Object.entries(projects.get("full-jwt-postgres")!)) {
      expect(text, path).not.toMatch(/my-app|sample-api|recipe-api/)
    }
    const files = projects.get("full-jwt-postgres")!
    for (const path of ["README.md", "deploy/k8s/deployment.yaml", "package.json", "src/app.ts"]) {
      expect(files[path], path).toContain(longName)
    }
  })
})

describe("the projects", () => {
  let folder: string

  beforeAll(async () => {
    const shared = projects.get("minimal")!
    const files = [...projects].flatMap(([name, texts]) =>
      Object.entries(texts).map(([path, text]) => [`${name}/${path}`, text])
    )
    folder = await project(
      {
        ...Object.fromEntries(files),
        // All of them are checked at once, with the settings that they share.
        ".gitignore": shared[".gitignore"]!,
        ".oxfmtrc.json": shared[".oxfmtrc.json"]!,
        "locks.ts": locks,
        "tsconfig.json": `{
  "extends": "./minimal/tsconfig.json",
  "compilerOptions": { "customConditions": ["flange-source"] },
  "include": ["*/src", "*/test", "*/tools", "*/vitest.config.ts"]
}
`
      },
      [
        "@effect/platform-node",
        "@effect/vitest",
        "@types/node",
        "effect",
        "flange",
        "jose",
        "typescript",
        "vitest"
      ]
    )
  })

  const tool = async (name: string, ...args: ReadonlyArray<string>) => {
    const { code, stderr, stdout } = await run([join(root, "node_modules", name), ...args], {
      cwd: folder
    })
    assert.strictEqual(code, 0, stdout + stderr)
    return stdout
  }

  it("have the format of their settings", async () => {
    expect(await tool("oxfmt/bin/oxfmt", "--check", ...projects.keys())).toContain("correct format")
  })

  it("have nothing that their linter finds", async () => {
    expect(await tool("oxlint/bin/oxlint", "--deny-warnings", ...projects.keys())).toContain(
      "0 warnings and 0 errors"
    )
  })

  it("compile, without a forgotten Effect", async () => {
    await tool("typescript/bin/tsc", "-p", "tsconfig.json")
    const checks = ["diagnostics", "--project", "tsconfig.json", "--strict"]
    const severities = ["--severity", "error,warning"]
    const effects = await tool("@effect/tsgo/dist/effect-tsgo.cjs", ...checks, ...severities)
    expect(effects).toContain("0 errors, 0 warnings")
  })

  it("have the routes of their locks", async () => {
    const { code, stderr, stdout } = await run(["--conditions=flange-source", "locks.ts"], {
      cwd: folder
    })
    assert.strictEqual(code, 0, stderr)
    for (const [name, lock] of Object.entries<string>(JSON.parse(stdout))) {
      expect(projects.get(name)!["routes.lock"], name).toBe(lock)
    }
  })
})
