// Type tests of wrong programs. See README.md beside this file.
import { spawnSync } from "node:child_process"
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join, relative, sep } from "node:path"

const root = join(import.meta.dirname, "../../..")

export interface Diagnostic {
  readonly file: string
  readonly line: number
  readonly message: string
}

export interface Expectation {
  readonly line: number
  readonly message: string
}

export interface Outcome {
  readonly failure: string | undefined
  readonly file: string
  readonly name: string
}

/** Where configs of the type checker are written, and what it emits. */
const scratch = join(root, ".doctest")

const compile = (config: object, name: string, ...flags: ReadonlyArray<string>) => {
  mkdirSync(scratch, { recursive: true })
  const path = join(scratch, `tsconfig.${name}.json`)
  writeFileSync(path, JSON.stringify(config))
  const tsc = join(root, "node_modules/typescript/bin/tsc")
  const run = spawnSync(process.execPath, [tsc, "-p", path, "--pretty", "false", ...flags], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 28
  })
  if (run.error) throw run.error
  return run
}

/** Runs the type checker over one config; a message holds all its lines, single-spaced. */
export const typeCheck = (config: object, name: string): ReadonlyArray<Diagnostic> => {
  const { status, stderr, stdout } = compile(config, name)
  const found: Array<{ file: string; line: number; message: string }> = []
  for (const text of stdout.split(/\r?\n/)) {
    const match = /^(.+?)\((\d+),\d+\): error (TS\d+: .*)$/.exec(text)
    if (match) found.push({ file: match[1]!, line: Number(match[2]), message: match[3]! })
    else if (text.startsWith("error ")) throw new Error(text)
    else if (text.trim() !== "" && found.length > 0) found.at(-1)!.message += ` ${text.trim()}`
  }
  if (status !== 0 && found.length === 0) throw new Error(`tsc failed: ${stdout}${stderr}`)
  return found.map((d) => ({ ...d, file: d.file.split(sep).join("/") }))
}

/** Returns how many types the compiler instantiates for a program without mistakes. */
export const instantiations = (config: object, name: string): number => {
  const { status, stderr, stdout } = compile(
    config,
    name,
    "--extendedDiagnostics",
    "--singleThreaded"
  )
  const found = /^Instantiations:\s+(\d+)/m.exec(stdout)
  if (status !== 0 || found === null) throw new Error(`tsc failed: ${stdout}${stderr}`)
  return Number(found[1])
}

/** The `// ^ expect: text` comments of a file, each with the line of code above it. */
export const expectationsOf = (text: string): ReadonlyArray<Expectation> => {
  const found: Array<Expectation> = []
  let code = 0
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const match = /^\s*\/\/\s*\^\s*expect:\s*(.+?)\s*$/.exec(line)
    if (match) found.push({ line: code, message: match[1]! })
    else code = i + 1
  }
  return found
}

/** Whether a message is the one that is expected. */
export type Judge = (message: string, expected: string) => boolean

const includes: Judge = (message, expected) => message.includes(expected)

/** One outcome for each expectation, and one for each error that no line expects. */
export const compare = (
  file: string,
  text: string,
  diagnostics: ReadonlyArray<Diagnostic>,
  fits: Judge = includes
): ReadonlyArray<Outcome> => {
  const expectations = expectationsOf(text)
  const outcomes = expectations.map(({ line, message }): Outcome => {
    const at = diagnostics.filter((d) => d.line === line)
    const name = `line ${line}: ${message}`
    if (at.some((d) => fits(d.message, message))) return { failure: undefined, file, name }
    const got = at.length === 0 ? "no error" : at.map((d) => d.message).join("\n")
    return { failure: `${file}:${line}: expected "${message}", got ${got}`, file, name }
  })
  const lines = new Set(expectations.map((e) => e.line))
  const unexpected = diagnostics
    .filter((d) => !lines.has(d.line))
    .map((d): Outcome => ({
      failure: `${file}:${d.line}: unexpected error ${d.message}`,
      file,
      name: `line ${d.line}: no error`
    }))
  const none: ReadonlyArray<Outcome> =
    expectations.length === 0
      ? [{ failure: `${file} has no "// ^ expect:"`, file, name: "expects an error" }]
      : []
  return [...outcomes, ...unexpected, ...none]
}

/** The type of a constant that a file exports. */
export interface Shown {
  readonly file: string
  readonly name: string
  /** As an editor shows it: types by their names, without the modules they are from. */
  readonly type: string
}

/** The constants that the files export whose types are not written down. */
export const shown = (files: ReadonlyArray<string>, name: string): ReadonlyArray<Shown> => {
  const folder = join(scratch, name)
  rmSync(folder, { force: true, recursive: true })
  const { status, stdout } = compile(
    {
      compilerOptions: {
        declaration: true,
        emitDeclarationOnly: true,
        noEmit: false,
        outDir: folder,
        rootDir: root
      },
      extends: "../tsconfig.json",
      files: files.map((file) => join("..", file)),
      include: []
    },
    name
  )
  if (status !== 0) throw new Error(`tsc failed: ${stdout}`)
  return files.flatMap((file) => {
    const text = readFileSync(join(folder, file.replace(/\.ts$/, ".d.ts")), "utf8")
    return text.split(/^(?=\S+ (?:declare|type|\{|\*))/m).flatMap((statement) => {
      const [, constant, type] =
        /^export declare const (\w+): ([^]*);\n(?:\/\*\*.*\n)?$/.exec(statement) ?? []
      if (constant === undefined || type === undefined) return []
      return [{ file, name: constant, type: type.replaceAll(/import\("[^"]*"\)\./g, "") }]
    })
  })
}

/**
 * Checks every .ts file of a folder (relative to the repository) in one run. Files whose names
 * start with `lib` hold what the others import.
 */
export const run = (
  folder: string,
  name: string,
  options: { readonly compilerOptions?: object; readonly fits?: Judge } = {}
): ReadonlyArray<Outcome> => {
  const files = globSync(`${folder}/**/*.ts`, { cwd: root }).toSorted()
  if (files.length === 0) return []
  const diagnostics = typeCheck(
    {
      compilerOptions: {
        noUnusedLocals: false,
        noUnusedParameters: false,
        ...options.compilerOptions
      },
      extends: "../tsconfig.json",
      files: files.map((file) => join("..", file)),
      include: []
    },
    name
  )
  const stray = diagnostics.find((d) => !files.includes(d.file))
  const outcomes = files.flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8")
    const own = diagnostics.filter((d) => d.file === file)
    if (basename(file).startsWith("lib") && own.length === 0) return []
    return compare(file, text, own, options.fits)
  })
  if (!stray) return outcomes
  const failure = `${relative(".", stray.file)}:${stray.line}: ${stray.message}`
  return [...outcomes, { failure, file: stray.file, name: "has no error of its own" }]
}
