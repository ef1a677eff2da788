/**
 * `deploy/Dockerfile` without a container engine: its stages as folders, and its instructions run in
 * them. `npm ci` links the packages of the repository instead.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { dirname, join } from "node:path"
import { flange } from "../Cli/project.ts"
import { root } from "../examples/process.ts"

/** An instruction of a Dockerfile. */
export interface Instruction {
  readonly name: string
  readonly rest: string
}

/** The Dockerfile, as it is shipped. */
export const text = readFileSync(join(root, "deploy/Dockerfile"), "utf8")

/** Returns the instructions of each stage. The file has no line that another one continues. */
export const stagesOf = (dockerfile: string): ReadonlyArray<ReadonlyArray<Instruction>> => {
  const stages: Array<Array<Instruction>> = []
  for (const line of dockerfile.split("\n")) {
    const [, name, rest] = /^([A-Z]+) (.+)$/.exec(line) ?? []
    if (name === "FROM") stages.push([])
    if (name !== undefined) stages.at(-1)!.push({ name, rest: rest! })
  }
  return stages
}

/** Returns the values of an instruction in a stage. */
export const all = (stage: ReadonlyArray<Instruction>, name: string): ReadonlyArray<string> =>
  stage.filter((each) => each.name === name).map(({ rest }) => rest)

/** Copies the context of a build: everything that `Dockerfile.dockerignore` does not leave out. */
export const copyContext = (from: string, to: string): void => {
  const ignored = readFileSync(join(root, "deploy/Dockerfile.dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((pattern) => new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`))
  for (const name of readdirSync(from)) {
    if (ignored.some((pattern) => pattern.test(name))) continue
    cpSync(join(from, name), join(to, name), { recursive: true })
  }
}

/** What `docker build` would have made: the folder of each stage, and the variables of the last. */
export interface Image {
  readonly env: Readonly<Record<string, string>>
  readonly folders: ReadonlyArray<string>
}

/** Runs the instructions of all stages, each stage in a folder of its own below `into`. */
export const build = async (
  context: string,
  into: string,
  packages: ReadonlyArray<string>
): Promise<Image> => {
  const named = new Map<string, string>()
  const folders: Array<string> = []
  let env: Record<string, string> = {}
  for (const [index, stage] of stagesOf(text).entries()) {
    const folder = join(into, `stage${index}`)
    folders.push(folder)
    env = {}
    let working = "/"
    const at = (path: string) => join(folder, path.startsWith("/") ? path : join(working, path))
    for (const { name, rest } of stage) {
      const words = rest.split(" ")
      if (name === "FROM" && words[1] === "AS") named.set(words[2]!, folder)
      if (name === "ENV")
        Object.assign(env, Object.fromEntries(words.map((each) => each.split("="))))
      if (name === "WORKDIR") {
        working = rest
        mkdirSync(at("."), { recursive: true })
      }
      if (name === "COPY") {
        const [, stageName] = /^--from=(\S+) /.exec(rest) ?? []
        const paths = stageName === undefined ? words : words.slice(1)
        const source = stageName === undefined ? context : named.get(stageName)!
        copy(source, paths.slice(0, -1), at(paths.at(-1)!))
      }
      if (name === "RUN") await run(rest, at("."), packages)
    }
  }
  return { env, folders }
}

/** As `COPY` does: a folder's content, and a file into a folder if the target ends with a slash. */
const copy = (from: string, paths: ReadonlyArray<string>, to: string) => {
  for (const path of paths) {
    if (path === ".") copyContext(from, to)
    else
      cpSync(join(from, path), to.endsWith("/") ? join(to, path.split("/").at(-1)!) : to, {
        recursive: true
      })
  }
}

const run = async (command: string, cwd: string, packages: ReadonlyArray<string>) => {
  const [program, ...args] = command.split(" ")
  if (command === "npm ci") {
    for (const name of packages) {
      const to = join(cwd, "node_modules", name)
      mkdirSync(dirname(to), { recursive: true })
      symlinkSync(name === "flange" ? root : join(root, "node_modules", name), to)
    }
  } else if (program === "npx" && args[0] === "flange") {
    const { code, stderr } = await flange(cwd, ...args.slice(1))
    if (code !== 0) throw new Error(stderr)
  } else {
    throw new Error(`The test does not know how to run ${command}`)
  }
}
