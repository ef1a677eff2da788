/** The declaration files of a client, which the TypeScript of the project writes. */
import { execFile } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { isBuiltin } from "node:module"
import { dirname, join, posix, relative, resolve, sep } from "node:path"
import * as Effect from "effect/Effect"
import { CommandError } from "../../Plugin/Cli.ts"
import * as Packages from "../Bundle/Packages.ts"
import * as Compiler from "../Compiler.ts"
import type { Graph, Import } from "./Graph.ts"

/** What the compiler gets. */
export interface Input {
  /** The entry. */
  readonly code: string
  /** The modules of the client. */
  readonly graph: Graph
  /** The folder of the app's `package.json`. */
  readonly root: string
  /** A folder for the entry and the output, in the project: its packages are found from there. */
  readonly workspace: string
}

/** Declaration files that import each other. */
export interface Declarations {
  /** The texts by their paths in the package, `index.d.ts` first. */
  readonly files: ReadonlyMap<string, string>
  readonly graph: Graph
  /** The packages that they import. */
  readonly packages: ReadonlySet<string>
}

/** Returns the deepest folder that has all files. */
const commonFolder = (files: Iterable<string>): string => {
  const [first, ...rest] = [...files].map((file) => dirname(file).split(sep))
  const shared = rest.reduce((common, parts) => {
    const differs = common.findIndex((part, i) => part !== parts[i])
    return differs < 0 ? common : common.slice(0, differs)
  }, first ?? [])
  return shared.join(sep) || sep
}

/** The options of the compiler that do not come from the project. Null takes one of its back. */
const own = {
  allowImportingTsExtensions: true,
  composite: false,
  declaration: true,
  declarationDir: null,
  declarationMap: false,
  emitDeclarationOnly: true,
  incremental: false,
  isolatedDeclarations: false,
  noEmit: false,
  noUnusedLocals: false,
  rewriteRelativeImportExtensions: false,
  skipLibCheck: true,
  tsBuildInfoFile: null
}

/** Returns the nearest `tsconfig.json` from a folder upwards. */
const optionsOf = (folder: string): string | undefined => {
  const file = join(folder, "tsconfig.json")
  if (existsSync(file)) return file
  const parent = dirname(folder)
  return parent === folder ? undefined : optionsOf(parent)
}

const failed = (reason: string) => new CommandError({ exitCode: 1, reason })

/** Runs the compiler on the entry, and returns the declaration files that the entry leads to. */
export const make = ({ code, graph, root, workspace }: Input) =>
  Effect.gen(function* () {
    const compiler = Compiler.find(root)
    if (compiler === undefined) {
      return yield* failed("typescript is not installed. Run: npm install -D typescript")
    }
    const entry = join(workspace, "index.ts")
    const out = join(workspace, "out")
    const base = commonFolder([...graph.keys(), entry])
    writeFileSync(entry, code)
    const options = optionsOf(root)
    writeFileSync(
      join(workspace, "tsconfig.json"),
      JSON.stringify({
        ...(options === undefined ? {} : { extends: posixOf(options) }),
        compilerOptions: {
          ...(options === undefined ? { allowJs: true, module: "nodenext", strict: true } : {}),
          ...own,
          outDir: "out",
          rootDir: posixOf(base)
        },
        files: ["index.ts"],
        include: [],
        references: []
      })
    )
    const { exitCode, output } = yield* run(compiler, ["-p", workspace, "--pretty", "false"], root)
    if (exitCode !== 0) {
      return yield* failed(
        `The types of the client cannot be written:\n${output.trimEnd()}\nCorrect them and check: npx tsc --noEmit`
      )
    }
    const aliases = new Map(
      [...graph.values()].flat().flatMap(({ file, specifier }) => {
        const isAlias = file !== undefined && !specifier.startsWith(".")
        return isAlias ? [[specifier, join(out, relative(base, file))] as const] : []
      })
    )
    const made = collected({
      aliases,
      base,
      entry: join(out, relative(base, workspace), "index.d.ts"),
      out
    })
    const unknown = [...made.packages].find(
      (name) => !isBuiltin(name) && Packages.find(root, Packages.nameOf(name)) === undefined
    )
    return unknown === undefined
      ? made
      : yield* failed(
          `The types of the client import ${JSON.stringify(unknown)}, which only this project resolves. Import it by its relative path`
        )
  })

const posixOf = (path: string): string => path.split(sep).join("/")

const run = (program: string, args: ReadonlyArray<string>, cwd: string) =>
  Effect.callback<{ readonly exitCode: number; readonly output: string }>((resume, signal) => {
    execFile(
      process.execPath,
      [program, ...args],
      { cwd, encoding: "utf8", maxBuffer: 1 << 26, signal },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : 1
        resume(Effect.succeed({ exitCode, output: stdout + stderr }))
      }
    )
  })

/** Texts and comments of a declaration file. */
const token =
  /"(?:[^"\\\n]|\\[^])*"?|'(?:[^'\\\n]|\\[^])*'?|`(?:[^`\\]|\\[^])*`?|\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?|\/\/[^\n]*/g

/** Replaces the specifiers of a declaration file. Other texts and comments stay as they are. */
const withSpecifiers = (text: string, replace: (specifier: string) => string): string => {
  let end = 0
  return text.replace(token, (found, at: number) => {
    const before = text.slice(end, at)
    end = at + found.length
    return found.startsWith('"') && /\b(?:from |import[ (])$/.test(before)
      ? JSON.stringify(replace(JSON.parse(found) as string))
      : found
  })
}

/** Where the compiler wrote the declaration files. */
interface Written {
  /** The positions of the sources that have a name of their own, such as `#orders/Order`. */
  readonly aliases: ReadonlyMap<string, string>
  /** The folder of the sources that became `out`. */
  readonly base: string
  readonly entry: string
  readonly out: string
}

/** Returns the declaration file that an import leads to; undefined for a package. */
const fileOf = ({ aliases }: Written, from: string, specifier: string): string | undefined => {
  const plain =
    aliases.get(specifier) ??
    (specifier.startsWith(".") ? resolve(dirname(from), specifier) : undefined)
  if (plain === undefined) return undefined
  const stem = plain.replace(/\.([cm]?)[jt]sx?$/, ".d.$1ts")
  return [stem, `${plain}.d.ts`, join(plain, "index.d.ts")].find(
    (path) => path.endsWith("ts") && existsSync(path)
  )
}

/** Returns the declaration files that the entry leads to, at their paths in the package. */
const collected = (written: Written): Declarations => {
  const { base, entry, out } = written
  const pathOf = (file: string): string =>
    file === entry ? "index.d.ts" : posix.join("types", posixOf(relative(out, file)))
  const sourceOf = (file: string): string =>
    join(base, relative(out, file)).replace(/\.d\.([cm]?)ts$/, ".$1ts")
  const files = new Map<string, string>()
  const graph = new Map<string, ReadonlyArray<Import>>()
  const packages = new Set<string>()
  const found = new Set([entry])
  for (const file of found) {
    const text = readFileSync(file, "utf8")
    const imports: Array<Import> = []
    const placed = withSpecifiers(text, (specifier) => {
      const target = fileOf(written, file, specifier)
      imports.push({ file: target && sourceOf(target), specifier })
      if (target === undefined) {
        packages.add(specifier)
        return specifier
      }
      found.add(target)
      const path = posix.relative(posix.dirname(pathOf(file)), pathOf(target))
      const module = path.replace(/\.d\.([cm]?)ts$/, ".$1js")
      return module.startsWith(".") ? module : `./${module}`
    })
    graph.set(sourceOf(file), imports)
    files.set(pathOf(file), placed)
  }
  return { files, graph, packages }
}
