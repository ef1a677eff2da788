/** Finds the places of a module that name files by the position of the module. */
import { isBuiltin, SourceMap } from "node:module"
import { extname } from "node:path"
import type * as esbuild from "esbuild"

/** The object that has the position of a module in a bundle. */
export const token = "__flange_at"

/** What can have a position, and how the transformed module reads it. */
const define = {
  __dirname: `${token}.dirname`,
  __filename: `${token}.filename`,
  "import.meta.dirname": `${token}.dirname`,
  "import.meta.filename": `${token}.filename`,
  "import.meta.resolve": `${token}.resolve`,
  "import.meta.url": `${token}.url`,
  "require.resolve": `${token}.requireResolve`
}

/** A place of a module. */
export interface Use {
  /** Whether the literal is a part of a URL, in which `%23` stands for `#`, and not a path. */
  readonly isUrl: boolean
  /**
   * - `computed`: the files are known only at run time
   * - `process`: a worker or process is started from a path of the working directory
   * - `require`: a `require` function is made
   * - `static`: the file is a literal
   */
  readonly kind: "computed" | "process" | "require" | "static"
  /** The line of the source, counted from 1. */
  readonly line: number
  /** The text of the line. */
  readonly lineText: string
  /** Whether a module is started or imported. */
  readonly runs: boolean
  /** The literal, or an empty text. */
  readonly specifier: string
}

/** A module that uses its position. */
export interface Scanned {
  /**
   * Returns the module in JavaScript with its source map. It reads its position from `token`, and
   * has other literals at some places. Returns undefined if the module needs no change.
   */
  readonly print: (literals: ReadonlyMap<Use, string>) => string | undefined
  readonly uses: ReadonlyArray<Use>
}

const gap = String.raw`(?:\s|/\*[^]*?\*/|//[^\n]*\n)*`
const text = String.raw`("(?:[^"\\\n]|\\.)*"|'[^'\\\n]*'|` + "`[^`\\\\$]*`)"
const at = token.replaceAll("$", "\\$")

/** `new URL("./file", import.meta.url)` and its relatives. The first group is the literal. */
const statics = [
  `new URL\\(${gap}${text}${gap},${gap}${at}\\.url${gap}\\)`,
  `\\b(?:join|resolve)\\(${gap}${at}\\.dirname${gap},${gap}${text}${gap}\\)`,
  `${at}\\.(?:resolve|requireResolve)\\(${gap}${text}${gap}\\)`
].map((source) => new RegExp(source, "g"))

const positions = new RegExp(`${at}\\.\\w+`, "g")

const starts = new RegExp(`\\b(?:new [\\w$.]*Worker|fork)\\(${gap}${text}`, "g")

/** `const require = createRequire(import.meta.url)`. The groups are the name and the argument. */
const requires = new RegExp(
  `\\b(\\w+) = (?:/\\*[^]*?\\*/\\s*)?createRequire\\w*\\(([^;]*?${at}\\.[^;]*?)\\);`,
  "gd"
)

/** The call around the URL of a module that is run. */
const runs = /(?:Worker|fork|import|register)\((?:fileURLToPath\()?$/

/** A `require` with a computed name. `esbuild` bundles some of them, by other rules than Node. */
const computedRequire = new RegExp(`(?<![.\\w$])require\\((?!${gap}${text}${gap}\\))(?=[^)])`, "g")

const candidate =
  /import\.meta|__dirname|__filename|require\s*\.\s*resolve|worker_threads|child_process|\brequire\s*\((?!\s*["'][^"'\n]*["']\s*\))/

const loaders: Readonly<Record<string, esbuild.Loader>> = {
  ".cts": "ts",
  ".jsx": "jsx",
  ".mts": "ts",
  ".ts": "ts",
  ".tsx": "tsx"
}

/** Returns the value of a literal as it was printed. */
const valueOf = (literal: string): string =>
  literal.startsWith('"') ? JSON.parse(literal) : literal.slice(1, -1)

/** How a module is scanned. */
export interface Options {
  /** How it imports `at`: as an ES module or as CommonJS. */
  readonly format: "cjs" | "esm"
  /** Whether it is the program, whose `import.meta.url` is that of the bundle. */
  readonly isProgram: boolean
  /** The module that exports the position. */
  readonly position: string
}

/**
 * Returns the code of a module that reads its position from the module `position`, and the places
 * where it does. Returns undefined if the module does not use its position.
 *
 * `esbuild` replaces `import.meta.url` in expressions only, and prints them in one form. Comments
 * and texts with the same letters are not found.
 */
export const scan = async (
  { transform }: Pick<typeof esbuild, "transform">,
  file: string,
  source: string,
  { format, isProgram, position }: Options
): Promise<Scanned | undefined> => {
  if (!candidate.test(source)) return undefined
  const from = JSON.stringify(position)
  const { code, map } = await transform(source, {
    banner:
      format === "esm"
        ? `import * as ${token} from ${from};`
        : `const ${token} = require(${from});`,
    // A bundle is one module for Node, so each of its modules would be the main one.
    define: isProgram ? define : { ...define, "import.meta.main": "false" },
    legalComments: "inline",
    loader: loaders[extname(file)] ?? "js",
    minifySyntax: true,
    sourcefile: file,
    sourcemap: "external",
    target: "esnext"
  })
  const lines = source.split("\n")
  const sources = new SourceMap(JSON.parse(map))
  const use = (index: number, parts: Pick<Use, "isUrl" | "kind" | "runs" | "specifier">): Use => {
    const before = code.slice(0, index).split("\n")
    const entry = sources.findEntry(before.length - 1, before.at(-1)!.length)
    const line = "originalLine" in entry ? entry.originalLine : 0
    return { ...parts, line: line + 1, lineText: (lines[line] ?? "").trim() }
  }
  const known = new Set<number>()
  const uses: Array<Use> = []
  /** Where the literals of the places are in the code. */
  const ranges = new Map<Use, readonly [start: number, end: number]>()
  for (const pattern of statics) {
    for (const match of code.matchAll(pattern)) {
      known.add(match.index + match[0].indexOf(`${token}.`))
      const literal = match[1]!
      const specifier = valueOf(literal)
      const isUrl = match[0].startsWith("new URL") || match[0].includes(`${token}.resolve`)
      if (!/^\.{0,2}\//.test(specifier) && !/^new URL|^\w+\(/.test(match[0])) {
        uses.push(use(match.index, { isUrl, kind: "require", runs: false, specifier }))
        // An absolute URL has no position.
      } else if (!URL.canParse(specifier)) {
        const isRun = runs.test(code.slice(Math.max(0, match.index - 80), match.index).trimEnd())
        const one = use(match.index, { isUrl, kind: "static", runs: isRun, specifier })
        const start = match.index + match[0].indexOf(literal)
        ranges.set(one, [start, start + literal.length])
        uses.push(one)
      }
    }
  }
  for (const match of code.matchAll(requires)) {
    const [start, end] = match.indices![2]!
    const calls = [
      ...code.matchAll(
        new RegExp(`(?<![.\\w])${match[1]}\\b(?!\\s*=)${gap}(?:\\(${gap}${text})?`, "g")
      )
    ]
    const isNeeded = calls.some(
      ([, literal]) => literal === undefined || !isBuiltin(valueOf(literal))
    )
    const inside = [...code.slice(start, end).matchAll(positions)].map(({ index }) => start + index)
    for (const index of inside) known.add(index)
    if (isNeeded)
      uses.push(use(match.index, { isUrl: false, kind: "require", runs: false, specifier: "" }))
  }
  for (const match of code.matchAll(positions)) {
    if (known.has(match.index)) continue
    const before = code.slice(0, match.index)
    // The program compares its URL with the arguments of the process.
    if (isProgram && match[0] === `${token}.url` && !/,\s*$/.test(before)) continue
    const kind = /createRequire\d*\($/.test(before.trimEnd()) ? "require" : "computed"
    uses.push(use(match.index, { isUrl: false, kind, runs: false, specifier: "" }))
  }
  const needsPosition = uses.length > 0
  if (/worker_threads|child_process/.test(source)) {
    for (const match of code.matchAll(starts)) {
      const specifier = valueOf(match[1]!)
      uses.push(use(match.index, { isUrl: false, kind: "process", runs: true, specifier }))
    }
  }
  if (format === "cjs") {
    for (const match of code.matchAll(computedRequire)) {
      uses.push(use(match.index, { isUrl: false, kind: "computed", runs: true, specifier: "" }))
    }
  }
  const print = (literals: ReadonlyMap<Use, string>) => {
    if (!needsPosition && !/import\.meta\.main/.test(source)) return undefined
    const sorted = [...literals].sort(([a], [b]) => ranges.get(b)![0] - ranges.get(a)![0])
    const replaced = sorted.reduce((printed, [one, literal]) => {
      const [start, end] = ranges.get(one)!
      return printed.slice(0, start) + JSON.stringify(literal) + printed.slice(end)
    }, code)
    const own = isProgram
      ? replaced.replace(new RegExp(`(?<!,\\s*)${at}\\.url`, "g"), "import.meta.url")
      : replaced
    const inline = Buffer.from(map).toString("base64")
    return `${own}\n//# sourceMappingURL=data:application/json;base64,${inline}\n`
  }
  return { print, uses }
}
