import { mkdir, readFile, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestApp } from "flange/Testing"
import { describe, expect, it } from "vitest"
import { Tokens } from "../../examples/org-overlay/acme/index.ts"
import { app } from "../../examples/org-overlay/app.ts"
import { emptyFolder, flange, run } from "../Cli/project.ts"
import { freePort, node, root, serving, whileServing } from "./process.ts"

const folder = "examples/org-overlay"

const main = `${folder}/main.ts`

const flangeAs = (env: Record<string, string>, ...args: ReadonlyArray<string>) =>
  run(["--conditions=flange-source", "src/Cli/main.ts", ...args, "--app", `${folder}/app.ts`], {
    cwd: root,
    env
  })

layer(TestApp.layer(app), { excludeTestServices: true })("a service of the organisation", (it) => {
  it.effect("authenticates without a setting of its own", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const token = yield* api.run(Tokens.use((tokens) => tokens.make("ada")))
      const reply = yield* api.get("/v1/hours", { headers: { authorization: `Bearer ${token}` } })
      reply.expectStatus(200).expectJson({ hours: 37.5, subject: "ada" })
      reply.expectHeader("x-content-type-options", "nosniff")
      expect(reply.headers.has("strict-transport-security")).toBe(false)
      ;(yield* api.get("/v1/hours")).expectProblem("UNAUTHENTICATED", 401)
    })
  )
})

describe("the package of the organisation", () => {
  it("brings a command that makes tokens for a local service", async () => {
    const { code, stderr, stdout } = await flangeAs({}, "token", "ada")
    expect(code, stderr).toBe(0)
    await whileServing(main, {}, async (url) => {
      const reply = await fetch(`${url}/v1/hours`, {
        headers: { authorization: `Bearer ${stdout.trim()}` }
      })
      expect(await reply.json()).toEqual({ hours: 37.5, subject: "ada" })
    })
  })

  it("has no secret for other environments, and makes no tokens there", async () => {
    const server = node([main], { FLANGE_ENV: "production" })
    expect(await server.exitCode).toBe(1)
    expect(server.output()).toContain("set the variable ACME_JWT_SECRET")
    const env = { ACME_JWT_SECRET: "x".repeat(32), FLANGE_ENV: "production" }
    const { code, stderr } = await flangeAs(env, "token", "ada")
    expect([code, stderr]).toEqual([1, expect.stringContaining("this is production")])
  })

  it("has defaults for a deployed service, which a variable overrides", async () => {
    const port = await freePort()
    const server = node([main], {
      ACME_JWT_SECRET: "x".repeat(32),
      FLANGE__APP__DRAIN_DELAY: "0s",
      FLANGE__SERVER__TRUSTED_PROXIES: '["127.0.0.1/32"]',
      FLANGE_ENV: "production",
      HOST: "127.0.0.1",
      PORT: String(port)
    })
    try {
      const url = `http://127.0.0.1:${port}`
      await serving(server, `${url}/readyz`)
      const overHttps = { headers: { "x-forwarded-proto": "https" } }
      const { headers } = await fetch(`${url}/v1/hours`, overHttps)
      expect(headers.get("strict-transport-security")).toContain("max-age=63072000")
      server.child.kill("SIGTERM")
      expect(await server.exitCode, server.output()).toBe(0)
    } finally {
      server.child.kill("SIGKILL")
    }
  })

  it("has a template whose project runs with it", async () => {
    const workspace = await emptyFolder()
    const template = join(root, folder, "acme/template.ts")
    const made = await flange(
      workspace,
      "new",
      "shop",
      "--template",
      template,
      "--answer",
      "team=people"
    )
    expect(made.code, made.stderr).toBe(0)
    const project = join(workspace, "shop")
    expect(await readFile(join(project, "CODEOWNERS"), "utf8")).toBe("* @acme/people\n")
    const manifest = await readFile(join(project, "package.json"), "utf8")
    expect(JSON.parse(manifest).dependencies["@acme/flange"]).toBe("^1.0.0")

    // The package as it is published, but in TypeScript.
    const packages = join(project, "node_modules")
    await mkdir(join(packages, "@acme"), { recursive: true })
    for (const name of ["effect", "flange"]) {
      await symlink(
        name === "flange" ? root : join(root, "node_modules", name),
        join(packages, name)
      )
    }
    await mkdir(join(workspace, "acme"))
    await writeFile(
      join(workspace, "acme/package.json"),
      `{"name":"@acme/flange","type":"module","exports":"./index.js"}`
    )
    await writeFile(
      join(workspace, "acme/index.js"),
      `export * from ${JSON.stringify(join(root, folder, "acme/index.ts"))}`
    )
    await symlink(join(workspace, "acme"), join(packages, "@acme/flange"))
    const { code, stderr, stdout } = await flange(project, "routes", "--check")
    expect(code, `${stdout}${stderr}`).toBe(0)
    const port = await freePort()
    const server = node([join(project, "src/main.ts")], { PORT: String(port) })
    try {
      const url = `http://127.0.0.1:${port}`
      await serving(server, `${url}/readyz`)
      const reply = await fetch(`${url}/v1/hello/Ada`)
      expect(await reply.json()).toEqual({ message: "Hello, Ada" })
      expect(reply.headers.get("x-content-type-options")).toBe("nosniff")
    } finally {
      server.child.kill("SIGKILL")
    }
  })
})
