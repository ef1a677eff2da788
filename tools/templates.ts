// Makes projects as a user does, from the packed packages. Runs the commands of getting started, which
// make a project of the template api and generate an endpoint. Creates other projects, installs,
// checks, lints, tests, builds and starts each, sends the requests of its README, drains it, generates
// an endpoint, and checks and tests again. Run it after a build: `npm run test:templates`, or `npm run test:templates
// -- --short` for two projects.
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { promisify } from "node:util"

const root = join(import.meta.dirname, "..")
const folder = mkdtempSync(join(tmpdir(), "flange-templates-"))

/** Projects that have every template, every database and every way to authenticate. */
const projects: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ["minimal", ["--template", "minimal"]],
  ["full", ["--template", "full"]],
  ["keys", ["--auth", "api-key", "--db", "mysql"]],
  ["memory", ["--auth", "none", "--db", "none"]],
  ["open", ["--template", "full", "--auth", "none", "--db", "pglite"]]
]

/**
 * The variables of a user: npm sets others for the scripts that it runs. Without the Node of the
 * repository, a project is made and installed with that of the machine, which may be older.
 */
const env: Readonly<Record<string, string | undefined>> = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:npm_|INIT_CWD$|NODE_OPTIONS$)/.test(name))
  ),
  PATH: process.env["PATH"]
    ?.split(delimiter)
    .filter((path) => !/node_modules|node-gyp-bin/.test(path))
    .join(delimiter)
}

let begin = performance.now()

/** Prints how long a step took. */
const done = (step: string): void => {
  const seconds = ((performance.now() - begin) / 1000).toFixed(1)
  console.log(`${seconds.padStart(7)} s  ${step}`)
  begin = performance.now()
}

const execute = promisify(execFile)

/** Runs a command, and returns what it printed. Fails with that if the command fails. */
const run = async (
  cwd: string,
  command: string,
  ...args: ReadonlyArray<string>
): Promise<string> => {
  try {
    return (await execute(command, args, { cwd, env, maxBuffer: 2 ** 26 })).stdout
  } catch (cause) {
    const { stderr, stdout } = cause as { readonly stderr: string; readonly stdout: string }
    throw new Error(`${[command, ...args].join(" ")} in ${cwd} failed:\n${stdout}${stderr}`, {
      cause
    })
  }
}

const expect = (isTrue: boolean, what: string): void => {
  if (!isTrue) throw new Error(what)
}

const pack = async (path: string): Promise<string> => {
  const printed = await run(path, "npm", "pack", "--silent", "--pack-destination", folder)
  return join(folder, printed.trim())
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}

/**
 * Starts a service as a script of npm would, uses it once it is ready, sends SIGTERM, and expects a
 * clean end. The shell of npm would not pass the signal on.
 */
const serving = async (
  cwd: string,
  script: string,
  variables: Readonly<Record<string, string>>,
  use: (url: string) => Promise<void>
): Promise<void> => {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const [command, ...args] = script.split(" ")
  const path = `${join(cwd, "node_modules/.bin")}${delimiter}${env["PATH"]}`
  const service = spawn(command!, args, {
    cwd,
    env: { ...env, ...variables, PATH: path, PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let output = ""
  service.stdout.on("data", (chunk) => (output += chunk))
  service.stderr.on("data", (chunk) => (output += chunk))
  const exit = once(service, "close")
  try {
    const isReady = () =>
      fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false
      )
    while (!(await isReady())) {
      expect(service.exitCode === null, `The service ended:\n${output}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await use(url)
    service.kill("SIGTERM")
    const [code] = await exit
    expect(code === 0, `The service ended with ${code}:\n${output}`)
  } finally {
    service.kill("SIGKILL")
  }
}

/** Sends the requests of the README. */
const requests = (project: string, url: string): Promise<string> => {
  const readme = readFileSync(join(project, "README.md"), "utf8")
  const [, block] = /## Try it\n\n```sh\n([^]*?)```/.exec(readme)!
  return run(project, "bash", "-euc", block!.replaceAll("http://localhost:8080", url))
}

const scripts = async (project: string, ...names: ReadonlyArray<string>): Promise<void> => {
  for (const name of names) {
    await run(project, "npm", "run", "--silent", name)
    done(`npm run ${name}`)
  }
}

const check = async (name: string, project: string, isProtected: boolean): Promise<void> => {
  await scripts(project, "check", "lint", "test", "build")
  await run(project, "npm", "run", "--silent", "routes", "--", "--check")
  done("npm run routes -- --check")
  const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8"))
  await serving(project, manifest.scripts.start, {}, async (url) => {
    const replies = await requests(project, url)
    expect(
      name === "minimal"
        ? replies === '{"message":"Hello, Ada"}'
        : /201 Created[^]*"total":1/.test(replies),
      `The requests of the README have other replies:\n${replies}`
    )
    const { status } = await fetch(`${url}/v1/items`)
    const expected = name === "minimal" ? 404 : isProtected ? 401 : 200
    expect(status === expected, `GET /v1/items without credentials: ${status}`)
  })
  done("npm start, the requests of the README, SIGTERM")
}

/** Does with a project what its README says, and adds an endpoint. */
const use = async (name: string, args: ReadonlyArray<string>): Promise<void> => {
  console.log(`\n${name} ${args.join(" ")}`)
  const project = join(folder, name)
  await check(name, project, !args.includes("none") && name !== "minimal")
  // In production, with the values of flange.toml: the bundle needs every secret.
  const production = {
    API_KEY: "key-of-production",
    DATABASE_URL: "pglite://memory",
    FLANGE_ENV: "production",
    JWT_SECRET: "secret-of-production-with-thirty-two-bytes"
  }
  await serving(project, "node --enable-source-maps dist/app.mjs", production, async () => {})
  done("the bundle in production, SIGTERM")
  const fields = ["--fields", "customer:string, total:int?, state:enum(open|paid)"]
  await run(project, "npx", "flange", "generate", "endpoint", "orders", "--crud", ...fields)
  await run(project, "npm", "run", "--silent", "routes", "--", "--write")
  done("flange generate endpoint orders --crud")
  await scripts(project, "check", "lint", "test")
}

/** Runs the commands of getting started, with the packed package, and sends its requests. */
const guide = async (flange: string): Promise<void> => {
  const text = readFileSync(join(root, "docs/getting-started.md"), "utf8")
  const blocks = /## A project\n[^]*?```sh\n([^]*?)```[^]*?```sh\n([^]*?)```/.exec(text)
  const [, commands = "", requests = ""] = blocks ?? []
  const [packing, ...lines] = commands.trim().split("\n")
  expect(
    packing!.includes("npm pack") && lines.pop() === "npm run dev",
    `Getting started begins or ends with other commands:\n${commands}`
  )
  console.log("\nthe commands of getting started")
  const packed = lines.join("\n").replaceAll(/(?:\.\/)?flange\/flange-[\d.]+\.tgz/g, flange)
  await run(folder, "bash", "-euc", packed)
  done("flange new, npm install, flange generate, npm run check, npm test")
  const project = join(folder, "shop")
  const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8"))
  await serving(project, manifest.scripts.start, {}, async (url) => {
    const local = requests.replaceAll("http://localhost:8080", url)
    const replies = await run(project, "bash", "-euc", local)
    expect(
      /201 Created[^]*"total":1\}/.test(replies),
      `The requests of getting started have other replies:\n${replies}`
    )
    const { status } = await fetch(`${url}/v1/orders`)
    expect(status === 401, `GET /v1/orders without credentials: ${status}`)
  })
  done("the service, the requests, SIGTERM")
}

try {
  const flange = await pack(root)
  const creator = await pack(join(root, "packages/create-flange"))
  // What `npm create flange` does: it installs the package, and runs its command.
  const install = ["install", "--prefer-offline"]
  await run(folder, "npm", ...install, "--prefix", join(folder, "created"), flange, creator)
  done("packed, and installed create-flange")
  console.log(`The Node of this machine: ${(await run(folder, "node", "--version")).trim()}`)
  const wanted = process.argv.includes("--short") ? projects.slice(0, 2) : projects
  const create = join(folder, "created/node_modules/.bin/create-flange")
  for (const [name, args] of wanted) await run(folder, create, name, ...args, "--package", flange)
  done(`create-flange, ${wanted.length} times`)
  await Promise.all(wanted.map(([name]) => run(join(folder, name), "npm", ...install)))
  done(`npm install, in ${wanted.length} projects at once`)
  await guide(flange)
  for (const [name, args] of wanted) await use(name, args)
} finally {
  rmSync(folder, { force: true, recursive: true })
}
