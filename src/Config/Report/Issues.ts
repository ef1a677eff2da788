/** Turns the issues of a schema or a check into problems of the report. */
import type * as SchemaIssue from "effect/SchemaIssue"
import type { Problem } from "../ConfigError.ts"
import { describe, ownWords } from "../Expected.ts"
import { nearest } from "../Nearest.ts"
import { descend, expand, isSecret, type Nodes } from "../SchemaTree.ts"
import type { Compiled, SectionIssue } from "../Section.ts"
import { whyText } from "../Source/Coerce.ts"
import { getPath, isPlain, type KeyPath, type Source } from "../Tree.ts"
import { sourcesAt } from "./Entries.ts"
import { variablesOf } from "./Keys.ts"
import { render, type Scrubber } from "./Render.ts"

/** A problem, and whether it is a missing value. */
export interface Found {
  readonly missing: boolean
  readonly problem: Problem
}

interface Flat {
  readonly expected?: string | undefined
  /** The reason that the schema's author wrote. Unlike `reason` it cannot quote the value. */
  readonly fixed?: string | undefined
  readonly missing: boolean
  readonly path: KeyPath
  readonly reason?: string | undefined
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

const flatten = (issue: SchemaIssue.Issue, path: KeyPath, outer?: Flat): ReadonlyArray<Flat> => {
  switch (issue._tag) {
    case "AnyOf":
      // Several failed alternatives are reported as one problem. A single one was chosen by its
      // discriminator.
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
        fixed: text(annotations?.message),
        missing: false,
        path
      })
    }
    case "InvalidValue":
      return [
        {
          expected: outer?.expected ?? text(issue.annotations?.expected),
          fixed: outer?.fixed,
          missing: false,
          path,
          reason: text(issue.annotations?.message)
        }
      ]
    case "MissingKey":
      return [{ missing: true, path }]
    case "Pointer":
      return flatten(issue.issue, [...path, ...issue.path.map(String)], outer)
    default:
      return [{ ...outer, missing: false, path }]
  }
}

/** The values from which the problems of a section are described. */
export interface Surroundings {
  readonly file: string
  readonly given: unknown
  readonly scrubber: Scrubber
  readonly sources: ReadonlyArray<Source>
  readonly unread: ReadonlyArray<KeyPath>
}

// Decoders report paths inside a decoded value, such as a `Redacted`; in the file that value is one
// leaf.
const toLeaf = (given: unknown, path: KeyPath): KeyPath => {
  const end = path.findIndex((_, index) => {
    const value = getPath(given, path.slice(0, index))
    return value !== undefined && !isPlain(value) && !Array.isArray(value)
  })
  return end < 0 ? path : path.slice(0, end)
}

/** Returns the description of the schema. It quotes no value, so it is shown whole. */
const wordsAt = (section: Compiled, path: KeyPath): string =>
  describe(descend(section.declared, path))

const missing = (
  section: Compiled,
  path: KeyPath,
  around: Surroundings,
  issue?: SectionIssue
): Problem => {
  const key = [section.name, ...path].join(".")
  const clean = (text: string) => around.scrubber.clean(text)
  const words = issue?.expected === undefined ? wordsAt(section, path) : clean(issue.expected)
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
  const hints = [
    ...(issue === undefined ? [] : [clean(issue.reason)]),
    ...(nearestKey === undefined ? [] : [`${nearestKey} is set, which may be a misspelling`])
  ]
  const why = hints.length === 0 ? "" : ` (${hints.join("; ")})`
  const [variable] = variablesOf(section, path)
  const remedy = isSecret(section.nodes, path, undefined)
    ? `set the variable ${variable} to ${words}, or ${variable}_FILE to the path of a file that has it`
    : `write ${words} in ${around.file}, or set the variable ${variable}`
  return {
    expected: words,
    key,
    message: `${key} is missing${why}: ${remedy}.`,
    nearest: nearestKey,
    received: undefined,
    source: "not set"
  }
}

const refused = (
  section: Compiled,
  path: KeyPath,
  value: unknown,
  around: Surroundings,
  /** Texts without secrets. */
  text: {
    /** The word that the value most likely means. */
    readonly meant?: string | undefined
    readonly reason: string | undefined
    readonly words: string
  }
): Problem => {
  const full = [section.name, ...path]
  const key = full.join(".")
  const source = sourcesAt(around.sources, full)[0]?.label ?? "schema default"
  const received = render(section.nodes, path, value, around.scrubber)
  const { reason, words } = text
  const why = reason === undefined ? "" : ` (${reason})`
  return {
    expected: words,
    key,
    message: `${received} from ${source} is refused for ${key}${why}: write ${words}.${
      text.meant === undefined ? "" : ` Did you mean "${text.meant}"?`
    }`,
    nearest: undefined,
    received,
    source
  }
}

/** Returns the words that a schema takes. */
const literalsOf = (nodes: Nodes): ReadonlyArray<string> =>
  [...expand(nodes)].flatMap((node) =>
    node._tag === "Literal" && typeof node.literal === "string" ? [node.literal] : []
  )

const invalid = (section: Compiled, flat: Flat, around: Surroundings): Problem => {
  const value = getPath(around.given, flat.path)
  const declared = descend(section.declared, flat.path)
  // Texts that checks and transformations make of the value may quote it, so they are omitted for a
  // secret field.
  const secret = isSecret(section.nodes, flat.path, value)
  const own = ownWords(declared)
  const whole = own ?? describe(declared)
  const narrow = secret || own !== undefined || whole.includes(flat.expected ?? "")
  const fromVariable =
    typeof value === "string" &&
    sourcesAt(around.sources, [section.name, ...flat.path])[0]?.isText === true
  const clean = (text: string | undefined) =>
    text === undefined ? undefined : around.scrubber.clean(text)
  const unread = fromVariable ? whyText(descend(section.encoded, flat.path), value) : undefined
  return refused(section, flat.path, value, around, {
    meant: secret || typeof value !== "string" ? undefined : nearest(value, literalsOf(declared)),
    reason:
      clean(unread) ?? flat.fixed ?? (secret || own !== undefined ? undefined : clean(flat.reason)),
    words: narrow ? whole : (clean(flat.expected) ?? whole)
  })
}

/** Returns the problems of a section from the issues of its check. */
export const checkProblems = (
  section: Compiled,
  issues: ReadonlyArray<SectionIssue>,
  decoded: unknown,
  around: Surroundings
): ReadonlyArray<Found> =>
  issues.map((issue) => {
    const path = issue.key === undefined ? [] : issue.key.split(".")
    const value = getPath(around.given, path) ?? getPath(decoded, path)
    if (value === undefined) {
      return { missing: false, problem: missing(section, path, around, issue) }
    }
    // A check has seen the secret and may quote it in any form.
    const secret = isSecret(section.nodes, path, value)
    const { expected, reason } = issue
    const problem = refused(section, path, value, around, {
      reason: secret ? undefined : around.scrubber.clean(reason),
      words:
        secret || expected === undefined ? wordsAt(section, path) : around.scrubber.clean(expected)
    })
    return { missing: false, problem }
  })

/** Returns the problems of a section from the issue of its schema. */
export const problemsOf = (
  section: Compiled,
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
