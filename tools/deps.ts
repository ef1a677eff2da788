// Checks what each part of src imports, and that there are no import cycles. Types count as
// imports. Run it with `npm run deps`.
import { existsSync, globSync, readFileSync } from "node:fs"
import { isBuiltin } from "node:module"
import { dirname, join, relative, resolve, sep } from "node:path"
import { parseSync, Visitor } from "oxc-parser"

/**
 * What an area may import besides itself. `*` is every area but Cli and Testing. Neither `App` nor
 * `Testing` may import `Layers`, so that `flange/Testing` loads no battery: a test double of a
 * battery is in its folder.
 */
const allowed: Record<string, ReadonlyArray<string>> = {
  App: ["Config", "Contract", "Plugin", "Server"],
  Cli: ["*", "Testing"],
  Config: ["Contract"],
  Contract: [],
  Layers: ["Config", "Contract", "Plugin", "Server"],
  Plugin: ["Config", "Contract"],
  Preset: ["*"],
  Server: ["Config", "Contract", "Plugin"],
  Testing: ["App", "Config", "Contract", "Plugin", "Server"],
  index: ["*"]
}

/**
 * The rooms of `src/Plugin` and of `src/Server`, the lowest first: one may import itself and those
 * before it. `Plugin` and `Server` are the folders' own files; `Server/Base` are the files of
 * `Server` that its rooms share.
 */
const rooms = [
  "Plugin",
  "Plugin/Boot",
  "Server/Base",
  "Server/Exchange",
  "Server/Route",
  "Server/Codec",
  "Server/Listener",
  "Server"
]

const base: ReadonlySet<string> = new Set([
  "Defaults",
  "EffectInternals",
  "Runtime",
  "ServerConfig",
  "TlsConfig"
])

/** The rooms of the server that batteries may import. */
const forLayers: ReadonlySet<string> = new Set(["Server/Base", "Server/Exchange", "Server/Route"])

interface Manifest {
  readonly dependencies?: Record<string, string>
  readonly name?: string
  readonly peerDependencies?: Record<string, string>
}

interface Import {
  readonly line: number
  readonly specifier: string
}

const importsOf = (file: string): ReadonlyArray<Import> => {
  const text = readFileSync(file, "utf8")
  const found: Array<Import> = []
  const add = (node: {
    readonly start: number
    readonly type: string
    readonly value?: unknown
  }) => {
    if (node.type === "Literal" && typeof node.value === "string") {
      found.push({ line: text.slice(0, node.start).split("\n").length, specifier: node.value })
    }
  }
  const { errors, program } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`)
  new Visitor({
    ExportAllDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => node.source && add(node.source),
    ImportDeclaration: (node) => add(node.source),
    ImportExpression: (node) => add(node.source),
    TSImportType: (node) => add(node.source)
  }).visit(program)
  return found
}

/**
 * Returns the area and the folder of a file: `Layers` and `Layers/Auth` for
 * `src/Layers/Auth/index.ts`.
 */
const placeOf = (file: string) => {
  const parts = file.replace(/^src\//, "").split("/")
  const area = parts.length === 1 ? parts[0]!.replace(/\.ts$/, "") : parts[0]!
  if (area === "Layers" && parts.length > 2) return { area, folder: `Layers/${parts[1]}` }
  if (!rooms.includes(area)) return { area, folder: area }
  if (parts.length > 2) return { area, folder: `${area}/${parts[1]}` }
  const isBase = area === "Server" && base.has(parts[1]!.replace(/\.ts$/, ""))
  return { area, folder: isBase ? "Server/Base" : area }
}

/**
 * Checks for the files that browsers import with a contract: `src/Contract`, and `Contract.ts` of a
 * battery.
 */
const isContract = (file: string): boolean =>
  /^src\/(Contract\/.*|Layers\/[^/]+\/Contract\.ts)$/.test(file)

const layering = (from: string, to: string): string | undefined => {
  const [a, b] = [placeOf(from), placeOf(to)]
  const rule = allowed[a.area]
  if (!rule) return `src/${a.area} is not a known area: add a rule for it in tools/deps.ts`
  if (a.area === "Layers" && isContract(from) && b.area !== "Contract") {
    return `${from} may import src/Contract only: browsers import it`
  }
  if (a.folder === b.folder) return undefined
  if (a.area === b.area && rooms.includes(a.folder)) {
    return rooms.indexOf(b.folder) < rooms.indexOf(a.folder)
      ? undefined
      : `${a.folder} may not import ${b.folder}: arrows run down only`
  }
  if (a.area === "Layers" && b.area === "Server" && !forLayers.has(b.folder)) {
    return `${a.folder} may not import ${b.folder}: batteries use exchanges and routes only`
  }
  if (a.area === "Layers" && b.area === "Layers") {
    return `${a.folder} may not import another battery (${b.folder})`
  }
  const open = b.area !== "Cli" && b.area !== "Testing"
  if (rule.includes(b.area) || (rule.includes("*") && open)) return undefined
  return `${a.folder} may not import ${b.folder}`
}

/** `homes` has the folder that imported a peer first: a peer belongs to one battery, or to Cli. */
const packages = (
  from: string,
  specifier: string,
  manifest: Manifest,
  homes: Map<string, string>
) => {
  const [first, second] = specifier.split("/")
  const name = specifier.startsWith("@") ? `${first}/${second}` : first!
  if (isContract(from) && name !== "effect") {
    return `${from} may import no package but effect: browsers import it`
  }
  if (isBuiltin(specifier)) return undefined
  if (specifier === "effect") return 'import a module of effect ("effect/Effect"), not the barrel'
  if (name === manifest.name) return "src imports itself by relative paths"
  if (name in (manifest.peerDependencies ?? {})) {
    const { area, folder } = placeOf(from)
    const isListener = folder === "Server/Listener"
    if (area !== "Cli" && area !== "Layers" && !isListener) {
      return `only a battery, a listener or Cli may import ${name}`
    }
    const home = homes.get(name) ?? folder
    homes.set(name, home)
    return folder === home ? undefined : `only ${home} may import ${name}`
  }
  return name in (manifest.dependencies ?? {}) ? undefined : `${name} is not in dependencies`
}

/** Returns each import cycle once, as the path of its files. */
const cycles = (graph: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlyArray<string> => {
  const found: Array<string> = []
  const done = new Set<string>()
  const path: Array<string> = []
  const visit = (file: string): void => {
    const at = path.indexOf(file)
    if (at >= 0) found.push(`import cycle: ${[...path.slice(at), file].join(" -> ")}`)
    if (at >= 0 || done.has(file)) return
    path.push(file)
    graph.get(file)?.forEach(visit)
    path.pop()
    done.add(file)
  }
  for (const file of graph.keys()) visit(file)
  return found
}

/** Returns all problems of the tree under `root`, as `file:line: message`. */
export const problems = (root: string): ReadonlyArray<string> => {
  const manifest: Manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  const homes = new Map<string, string>()
  const files = globSync("src/**/*.ts", { cwd: root }).map((file) => file.split(sep).join("/"))
  const graph = new Map<string, Array<string>>()
  const found: Array<string> = []
  for (const file of files.toSorted()) {
    const targets: Array<string> = []
    graph.set(file, targets)
    for (const { line, specifier } of importsOf(join(root, file))) {
      const report = (message: string | undefined) =>
        message !== undefined && found.push(`${file}:${line}: ${message}`)
      if (!specifier.startsWith(".")) {
        report(packages(file, specifier, manifest, homes))
        continue
      }
      const path = resolve(root, dirname(file), specifier)
      const target = relative(root, path).split(sep).join("/")
      if (!target.startsWith("src/")) report(`${specifier} is outside src`)
      else if (!existsSync(path)) report(`${specifier} does not exist`)
      else {
        if (target !== file) targets.push(target)
        report(layering(file, target))
      }
    }
  }
  return [...found, ...cycles(graph)]
}

if (import.meta.main) {
  const found = problems(join(import.meta.dirname, ".."))
  for (const problem of found) console.error(problem)
  if (found.length > 0) process.exitCode = 1
}
