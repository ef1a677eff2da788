/** Projects in folders of their own, built by `flange build` and run where there is no `node_modules`. */
import { execFile } from "node:child_process"
import { cp, mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll } from "vitest"
import { bareEnvironment } from "../environment.ts"

const root = join(import.meta.dirname, "../..")

/** The Node of the repository. */
export const node = join(root, "node_modules/.bin/node")

/** The variables of each process, which writes no colors. */
export const environment: Readonly<Record<string, string | undefined>> = {
  ...bareEnvironment,
  NO_COLOR: "1"
}

/** What a process wrote, and its exit code. */
export interface Ran {
  readonly code: number
  readonly stderr: string
  readonly stdout: string
}

/** Runs a command to its end. */
export const run = (
  args: ReadonlyArray<string>,
  { cwd, env }: { readonly cwd: string; readonly env?: Record<string, string> }
): Promise<Ran> =>
  new Promise((resolve) => {
    const variables = { ...environment, ...env }
    execFile(node, args, { cwd, env: variables }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1
      resolve({ code, stderr, stdout })
    })
  })

/** Runs `flange` with the sources of Flange. */
export const flange = (cwd: string, ...args: ReadonlyArray<string>): Promise<Ran> =>
  run(["--conditions=flange-source", join(root, "src/Cli/main.ts"), ...args], { cwd })

const folders: Array<string> = []
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { force: true, recursive: true }))))

/** Creates an empty folder, which is removed after the tests of the file. */
export const emptyFolder = async (): Promise<string> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "flange-build-")))
  folders.push(folder)
  return folder
}

/** Writes files into a folder. */
export const write = async (
  folder: string,
  files: Readonly<Record<string, string>>
): Promise<void> => {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

/** Creates a project that has packages of the repository installed. */
export const project = async (
  files: Readonly<Record<string, string>>,
  installed: ReadonlyArray<string> = []
): Promise<string> => {
  const folder = await emptyFolder()
  await write(folder, files)
  for (const name of installed) {
    const to = join(folder, "node_modules", name)
    await mkdir(dirname(to), { recursive: true })
    await symlink(name === "flange" ? root : await realpath(join(root, "node_modules", name)), to)
  }
  return folder
}

/** Moves the folder `dist` of a project to another place, and returns it. */
export const moved = async (folder: string): Promise<string> => {
  const to = join(await emptyFolder(), "app")
  await rename(join(folder, "dist"), to)
  return to
}

/** Copies a native module of the repository for this platform into a project. */
export const copyNative = async (to: string): Promise<void> => {
  const { createRequire } = await import("node:module")
  const parser = createRequire(await realpath(join(root, "node_modules/oxc-parser/package.json")))
  const { platform, arch } = process
  const names = [`${platform}-${arch}`, `${platform}-${arch}-gnu`, `${platform}-${arch}-musl`]
  for (const name of names) {
    try {
      await cp(parser.resolve(`@oxc-parser/binding-${name}`), to)
      return
    } catch {
      // Another one is installed.
    }
  }
  throw new Error(`No binding of oxc-parser is installed for ${platform}-${arch}`)
}
