// The image of deploy/Dockerfile. No container engine runs here: a parser reads the file, and its
// commands run in folders, with a copy of the sample in the layout of a project.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { cpSync, existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { validate } from "dockerfile-utils"
import { beforeAll, describe, expect, it } from "vitest"
import { emptyFolder, node, write } from "../Cli/project.ts"
import { freePort, root, serving } from "../examples/process.ts"
import { all, build, type Image, stagesOf, text } from "./image.ts"
import { clusterOf, files, manifestsOf } from "./k8s.ts"

const first = stagesOf(text)[0]!
const last = stagesOf(text).at(-1)!
const { deployment } = clusterOf(manifestsOf(files))
const container = deployment.spec!.template.spec!.containers[0]!

describe("deploy/Dockerfile", () => {
  it("is what the parser of Dockerfiles accepts", () => {
    expect(validate(text)).toEqual([])
    expect(validate(text.replace("WORKDIR /app", "WORKDIR app"))).toHaveLength(1)
    expect(validate(text.replace("EXPOSE 8080", "EXPOSE http"))).toHaveLength(1)
  })

  it("has a stage that builds, and one on the same slim image that has the bundle alone", () => {
    expect(stagesOf(text)).toHaveLength(2)
    const [image] = all(first, "FROM")[0]!.split(" ")
    expect(image).toMatch(/^node:24-\w+-slim$/)
    expect(all(last, "FROM")).toEqual([image])
    expect(all(last, "RUN")).toEqual([])
    for (const source of all(last, "COPY")) expect(source).toMatch(/^--from=build /)
  })

  it("runs one process without a shell, as a user that is not root, and stops it with SIGTERM", () => {
    expect(all(last, "USER")).toEqual([expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/)])
    expect(all(last, "STOPSIGNAL")).toEqual(["SIGTERM"])
    const [command] = all(last, "CMD")
    expect(JSON.parse(command!)).toEqual(["node", "--enable-source-maps", "dist/app.mjs"])
    expect(last.at(-1)!.name).toBe("CMD")
  })

  it("exposes the port of the deployment", () => {
    expect(all(last, "EXPOSE")).toEqual([String(container.ports![0]!.containerPort)])
  })
})

describe("the image of the sample", () => {
  const packages = ["@effect/platform-node", "@electric-sql/pglite", "effect", "esbuild", "flange"]
  let image: Image

  beforeAll(async () => {
    const folder = await emptyFolder()
    const project = join(folder, "project")
    await write(project, {
      ".env": "DATABASE_URL=postgres://secret@local/db",
      ".env.local": "",
      ".git/HEAD": "",
      "dist/stale.mjs": "",
      "flange.toml": `[app]\nversion = "1.2.3"\n`,
      "node_modules/other/index.js": "",
      "package-lock.json": "{}",
      "package.json": JSON.stringify({
        dependencies: Object.fromEntries(packages.map((name) => [name, "*"])),
        name: "my-app",
        type: "module"
      }),
      "src/fixtures/node_modules/kept.txt": ""
    })
    cpSync(join(root, "examples/sample-api"), join(project, "src"), { recursive: true })
    image = await build(project, join(folder, "image"), packages)
  })

  it("is built without secrets, packages and bundles of the machine", () => {
    const [stage] = image.folders
    expect(readdirSync(join(stage!, "build")).sort()).toEqual([
      "dist",
      "flange.toml",
      "node_modules",
      "package-lock.json",
      "package.json",
      "src"
    ])
    expect(existsSync(join(stage!, "build/node_modules/other"))).toBe(false)
    expect(existsSync(join(stage!, "build/dist/stale.mjs"))).toBe(false)
    expect(existsSync(join(stage!, "build/src/fixtures/node_modules/kept.txt"))).toBe(true)
  })

  it("has the bundle with its packages and the configuration, and nothing else", () => {
    const app = join(image.folders[1]!, "app")
    expect(readdirSync(app).sort()).toEqual(["dist", "flange.toml"])
    expect(readdirSync(join(app, "dist"))).toEqual(
      expect.arrayContaining(["app.mjs", "app.mjs.map", "assets", "node_modules"])
    )
    expect(readdirSync(join(app, "dist/node_modules/@electric-sql"))).toEqual(["pglite"])
  })

  it("serves with the environment of the deployment, writes no file, and drains at SIGTERM", async () => {
    const folder = image.folders[1]!
    const app = join(folder, "app")
    const state = () =>
      readdirSync(folder, { encoding: "utf8", recursive: true })
        .sort()
        .map((path) => [path, statSync(join(folder, path)).mtimeMs])
    const before = state()
    const { livenessProbe, readinessProbe } = container
    const [program, ...args] = JSON.parse(all(last, "CMD")[0]!) as [string, ...Array<string>]
    expect(program).toBe("node")
    const port = await freePort()
    const child = spawn(node, args, {
      cwd: app,
      env: {
        ...image.env,
        ...Object.fromEntries(container.env!.map(({ name, value }) => [name, value])),
        DATABASE_URL: "pglite://memory",
        FLANGE__APP__DRAIN_DELAY: "0s",
        PORT: String(port)
      },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    child.stdout.on("data", (chunk) => (output += chunk))
    child.stderr.on("data", (chunk) => (output += chunk))
    const exitCode = once(child, "close").then(([code]) => code as number | null)
    try {
      const url = `http://127.0.0.1:${port}`
      const server = { child, exitCode, output: () => output }
      await serving(server, `${url}${readinessProbe!.httpGet!.path}`)
      expect(await (await fetch(`${url}${livenessProbe!.httpGet!.path}`)).json()).toEqual({
        status: "alive"
      })
      const made = await fetch(`${url}/v1/items`, {
        body: `{"name":"Lamp"}`,
        headers: { "content-type": "application/json" },
        method: "POST"
      })
      expect(made.status).toBe(201)
      child.kill("SIGTERM")
      expect(await exitCode, output).toBe(0)
      const log = output
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object)
      expect(log.length).toBeGreaterThan(0)
      expect(state()).toEqual(before)
    } finally {
      child.kill("SIGKILL")
    }
  })
})
