import type * as SchemaIssue from "effect/SchemaIssue"
import type { Problem } from "./ConfigError.ts"
import { layersAt } from "./Entries.ts"
import { expected, ownWords } from "./Expected.ts"
import { nearest } from "./Nearest.ts"
import { render, type Scrubber } from "./Render.ts"
import { descend, isSecret } from "./SchemaTree.ts"
import { getPath, isPlain, type Layer, type Path } from "./Tree.ts"
import type { Known } from "./Variables.ts"

/** A problem, and whether it only says that a value is missing. */
export interface Found {
  readonly missing: boolean
  readonly problem: Problem
}

interface Flat {
  readonly expected?: string | undefined
  readonly missing: boolean
  readonly path: Path
  readonly reason?: string | undefined
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

const flatten = (issue: SchemaIssue.Issue, path: Path, outer?: Flat): ReadonlyArray<Flat> => {
  switch (issue._tag) {
    case "AnyOf":
      // Several failed alternatives are one problem; a single one was chosen by its discriminator.
      return issue.issues.length === 1 && issue.issues[0] !== undefined
        ? flatten(issue.issues[0], path, outer)
        : [{ ...outer, missing: false, path }]
    case "Composite":
      return issue.issues.flatMap((inner) => flatten(inner, path, outer))
    case "Encoding":
      return flatten(issue.issue, path, outer)
    case "Filter": {
      const annotations = issue.filter.annotations
      return flatten(issue.issue, path, {
        expected: text(annotations?.expected),
        missing: false,
        path,
        reason: text(annotations?.message)
      })
    }
    case "MissingKey":
      return [{ missing: true, path }]
    case "Pointer":
      return flatten(issue.issue, [...path, ...issue.path.map(String)], outer)
    case "InvalidValue":
      return [
        {
          expected: outer?.expected ?? text(issue.annotations?.expected),
          missing: false,
          path,
          reason: outer?.reason ?? text(issue.annotations?.message)
        }
      ]
    default:
      return [{ ...outer, missing: false, path }]
  }
}

/** What the problems of a section are described with. */
export interface Surroundings {
  /** The schema as the user wrote it, for the words. */
  readonly declared: Known["nodes"]
  readonly file: string
  readonly given: unknown
  readonly layers: ReadonlyArray<Layer>
  readonly scrubber: Scrubber
  readonly unread: ReadonlyArray<Path>
}

const snake = (key: string): string =>
  key
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toUpperCase()

const variableFor = (section: Known, path: Path): string =>
  Object.entries(section.variables).find(([, target]) => target === path.join("."))?.[0] ??
  ["FLANGE", section.name, ...path].map(snake).join("__")

// Decoders report places inside a decoded value, such as the inside of a `Redacted`; in the file
// the value is one leaf.
const toLeaf = (given: unknown, path: Path): Path => {
  const end = path.findIndex((_, index) => {
    const value = getPath(given, path.slice(0, index))
    return value !== undefined && !isPlain(value) && !Array.isArray(value)
  })
  return end < 0 ? path : path.slice(0, end)
}

const missing = (section: Known, path: Path, around: Surroundings): Problem => {
  const key = [section.name, ...path].join(".")
  const words = expected(descend(around.declared, path))
  const near = around.unread.filter(
    (other) =>
      other.length === path.length && other.slice(0, -1).join() === path.slice(0, -1).join()
  )
  const close = nearest(
    path.at(-1) ?? "",
    near.map((other) => other.at(-1) ?? "")
  )
  const nearestKey =
    close === undefined ? undefined : [section.name, ...path.slice(0, -1), close].join(".")
  const hint = nearestKey === undefined ? "" : ` (${nearestKey} is set, which may be a misspelling)`
  return {
    expected: words,
    key,
    message:
      `${key} is missing${hint}: write ${words} in ${around.file}, or set the variable ` +
      `${variableFor(section, path)}.`,
    nearest: nearestKey,
    received: undefined,
    source: "not set"
  }
}

const invalid = (section: Known, flat: Flat, around: Surroundings): Problem => {
  const full = [section.name, ...flat.path]
  const key = full.join(".")
  const value = getPath(around.given, flat.path)
  const declared = descend(around.declared, flat.path)
  const secret = isSecret(section.nodes, flat.path, value)
  // Texts of checks and transformations may quote the value, so a secret field goes without.
  const reason =
    flat.reason === undefined || secret ? undefined : around.scrubber.clean(flat.reason)
  const own = ownWords(declared)
  const whole = own ?? expected(declared)
  const narrow = secret || own !== undefined || whole.includes(flat.expected ?? "")
  const words = around.scrubber.clean(narrow ? whole : (flat.expected ?? whole))
  const source = layersAt(around.layers, full)[0]?.source ?? "schema default"
  const received = render(section.nodes, flat.path, value, around.scrubber)
  const why = reason === undefined || own !== undefined ? "" : ` (${reason})`
  return {
    expected: words,
    key,
    message: `${received} from ${source} is refused for ${key}${why}: write ${words}.`,
    nearest: undefined,
    received,
    source
  }
}

/** The problems of one section, from the issue of its schema. */
export const problemsOf = (
  section: Known,
  issue: SchemaIssue.Issue,
  around: Surroundings
): ReadonlyArray<Found> => {
  const found = new Map<string, Found>()
  for (const flat of flatten(issue, [])) {
    const path = toLeaf(around.given, flat.path)
    const value = getPath(around.given, path)
    const isMissing = value === undefined && (flat.missing || path.length === 0)
    const problem = isMissing
      ? missing(section, path, around)
      : invalid(section, { ...flat, path }, around)
    found.set(problem.message, { missing: isMissing, problem })
  }
  return [...found.values()]
}
