/** Turns environment variables into sources of values. */
import * as SchemaAST from "effect/SchemaAST"
import type { Problem } from "../ConfigError.ts"
import { nearest, normalize } from "../Nearest.ts"
import { redacted } from "../Report/Render.ts"
import { child, defaultOf, descend, expand, isOpen, keysOf, type Nodes } from "../SchemaTree.ts"
import type { Compiled } from "../Section.ts"
import {
  forbiddenKeys,
  getPath,
  isPlain,
  type KeyPath,
  mergeAll,
  singleton,
  type Source,
  type Tree
} from "../Tree.ts"
import { coerce } from "./Coerce.ts"
import { fileKeysOf, withoutSuffix } from "./SecretFiles.ts"

/**
 * The sources made from variables, the lowest precedence first, and the problems of the variables.
 */
export interface FromVariables {
  readonly problems: ReadonlyArray<Problem>
  readonly sources: ReadonlyArray<Source>
}

/** The values of variables by name. */
export type Values = Readonly<Record<string, string | undefined>>

const prefix = "FLANGE__"

/** Returns the keys that a segment may mean: an exact one, or all that differ in their spelling only. */
const pick = (segment: string, candidates: Iterable<string>): ReadonlyArray<string> => {
  const all = [...new Set(candidates)]
  const same = all.filter((key) => normalize(key) === normalize(segment))
  return same.includes(segment) ? [segment] : same
}

const problem = (source: string, expected: string, message: string, close?: string): Problem => ({
  expected,
  key: "(variable)",
  message,
  nearest: close,
  received: redacted,
  source
})

interface Place {
  readonly nodes: Nodes
  readonly path: KeyPath
}

/**
 * Returns the key that the segments name, or the reason why they do not name one. Variables have no
 * hyphens and one case, so a new key of a record with an underscore could be another one.
 */
const resolve = (
  segments: KeyPath,
  sections: ReadonlyArray<Compiled>,
  below: Tree
): Place | { readonly why: string } => {
  const names = [...sections.map(({ name }) => name), ...Object.keys(below)]
  let nodes: Nodes = []
  let path: KeyPath = []
  for (const segment of segments) {
    const at = path.join(".")
    const existing = getPath(below, path)
    const parent = path.at(-1)
    const declared =
      path.length === 0 ? names : [...keysOf(nodes), ...fileKeysOf(nodesAt(path, sections))]
    const found = pick(segment, declared)
    const others = isPlain(existing) ? Object.keys(existing) : []
    const same = found.length > 0 ? found : pick(segment, [...others, ...defaults(path, sections)])
    if (same.length > 1) return { why: `may mean ${same.join(" or ")}` }
    if (same.length === 0 && parent !== undefined && isOpen(nodes) && segment.includes("_")) {
      return { why: `does not tell whether the new key of ${at} has _, - or capitals` }
    }
    const key = same[0] ?? segment.toLowerCase()
    nodes =
      path.length === 0
        ? (sections.find(({ name }) => name === key)?.encoded ?? [])
        : child(nodes, key)
    path = [...path, key]
  }
  return { nodes, path }
}

/** Returns the schemas at a path, with their transformations. */
const nodesAt = (path: KeyPath, sections: ReadonlyArray<Compiled>): Nodes =>
  descend(sections.find(({ name }) => name === path[0])?.nodes ?? [], path.slice(1))

/** Returns the keys of the default of a record. */
const defaults = (path: KeyPath, sections: ReadonlyArray<Compiled>): ReadonlyArray<string> => {
  const value = defaultAt(path, sections)
  return isPlain(value) ? Object.keys(value) : []
}

const defaultAt = (path: KeyPath, sections: ReadonlyArray<Compiled>): unknown =>
  path.length < 2 ? undefined : defaultOf(nodesAt(path.slice(0, -1), sections), path.at(-1) ?? "")

const refuse = (name: string, source: string, segments: KeyPath): Problem | undefined => {
  const bad = segments.find((segment) => forbiddenKeys.has(segment.toLowerCase()))
  if (bad !== undefined) {
    return problem(
      source,
      "a key that is not on Object.prototype",
      `The variable ${name} is refused because the key ${bad.toLowerCase()} can change the ` +
        "prototype of objects: remove it."
    )
  }
  if (segments.length === 1 && normalize(segments[0] ?? "") === "env") {
    return problem(
      source,
      "FLANGE_ENV",
      `The variable ${name} does not choose the environment: write FLANGE_ENV.`
    )
  }
  if (segments.some((segment) => normalize(segment) === "")) {
    return problem(
      source,
      "FLANGE__SECTION__KEY",
      `The variable ${name} has an empty part between double underscores: write ` +
        "FLANGE__SECTION__KEY."
    )
  }
  return undefined
}

const isList = (nodes: Nodes): boolean =>
  expand(nodes).some(SchemaAST.isArrays) && keysOf(nodes).length === 0 && !isOpen(nodes)

/** Reads the variables of one layer: the process, or a file of variables. */
class Reader {
  readonly problems: Array<Problem> = []
  readonly sources: Array<Source> = []
  readonly #sections: ReadonlyArray<Compiled>
  readonly #taken = new Map<string, { readonly name: string; readonly value: string }>()
  readonly #where: string

  constructor(sections: ReadonlyArray<Compiled>, where: string) {
    this.#sections = sections
    this.#where = where
  }

  label(name: string): string {
    return `variable ${name}${this.#where}`
  }

  /** Adds the value of a variable, and a problem if another variable of its kind sets the key. */
  set(kind: string, name: string, path: KeyPath, text: string, items?: unknown): void {
    const isFile = fileKeysOf(nodesAt(path.slice(0, -1), this.#sections)).includes(
      path.at(-1) ?? ""
    )
    const key = [...path.slice(0, -1), isFile ? withoutSuffix(path.at(-1) ?? "") : path.at(-1)]
    const id = `${kind} ${key.join(".")}`
    const other = this.#taken.get(id)
    if (other !== undefined && (isFile || other.value !== text)) {
      this.problems.push(
        problem(
          this.label(name),
          "one variable for each key",
          `The variables ${other.name} and ${name} both set ${key.join(".")} and differ: remove one.`
        )
      )
    }
    this.#taken.set(id, { name, value: text })
    const value = items ?? coerce(isFile ? [] : nodesAt(path, this.#sections), text)
    this.sources.push({ isText: true, label: this.label(name), values: singleton(path, value) })
  }

  /** Adds a problem. */
  refuse(name: string, expected: string, message: string, close?: string): void {
    this.problems.push(problem(this.label(name), expected, message, close))
  }
}

const readShort = (reader: Reader, variables: Values, sections: ReadonlyArray<Compiled>): void => {
  const declared = new Set(sections.flatMap((section) => Object.keys(section.variables)))
  for (const section of sections) {
    for (const [name, target] of Object.entries(section.variables)) {
      const path = target.split(".")
      if (descend(section.encoded, path).length === 0) {
        reader.refuse(
          name,
          `one of ${keysOf(section.encoded).join(", ")}`,
          `The section ${section.name} maps the variable ${name} to ${JSON.stringify(target)}, ` +
            "which its schema does not have: name one of its keys.",
          nearest(target, keysOf(section.encoded))
        )
        continue
      }
      const parent = descend(section.nodes, path.slice(0, -1))
      const file = `${path.at(-1)}File`
      const names = [[name, path] as const]
      if (fileKeysOf(parent).includes(file) && !declared.has(`${name}_FILE`)) {
        names.push([`${name}_FILE`, [...path.slice(0, -1), file]])
      }
      for (const [variable, place] of names) {
        const value = Object.hasOwn(variables, variable) ? variables[variable] : undefined
        if (value === undefined || value === "") continue
        reader.set("short", variable, [section.name, ...place], value)
      }
    }
  }
}

const readPrefixed = (
  reader: Reader,
  variables: Values,
  sections: ReadonlyArray<Compiled>,
  below: Tree
): void => {
  const prefixed = Object.entries(variables)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => ({ name, segments: name.slice(prefix.length).split("__"), value }))
    .sort((a, b) => a.segments.length - b.segments.length || (a.name < b.name ? -1 : 1))
  for (const { name, segments, value } of prefixed) {
    if (value === undefined) continue
    const refused = refuse(name, reader.label(name), segments)
    if (refused !== undefined) {
      reader.problems.push(refused)
      continue
    }
    const known = mergeAll([below, ...reader.sources.map(({ values }) => values)])
    const parent = resolve(segments.slice(0, -1), sections, known)
    const list = name.slice(0, name.lastIndexOf("__"))
    if (!("why" in parent) && isList(parent.nodes)) {
      if (segments.at(-1) !== "ADD") {
        reader.refuse(
          name,
          "a whole list, or items to add",
          `The variable ${name} sets one item of a list, which is not possible: set the whole list ` +
            `in ${list}, or add to it with ${list}__ADD, with commas between the items.`
        )
        continue
      }
      const before = getPath(known, parent.path) ?? defaultAt(parent.path, sections)
      const more = coerce(parent.nodes, value)
      const items =
        Array.isArray(more) && (before === undefined || Array.isArray(before))
          ? [...(before ?? []), ...more]
          : value
      reader.set("add", name, parent.path, value, items)
      continue
    }
    const place = resolve(segments, sections, known)
    if ("why" in place) {
      reader.refuse(
        name,
        "a key that is set elsewhere, or the object around it in JSON",
        `The variable ${name} ${place.why}: write the object in ${list} as JSON.`
      )
      continue
    }
    reader.set("prefixed", name, place.path, value)
  }
}

/**
 * Turns the variables of one layer into sources that override `below`. `FLANGE__` variables
 * override short ones, and among them those with more segments override the others. An empty short
 * variable counts as unset, because container tools pass unset variables as empty ones. `where`
 * follows the name of a variable in reports.
 */
export const fromVariables = (
  variables: Values,
  sections: ReadonlyArray<Compiled>,
  below: Tree,
  where = ""
): FromVariables => {
  const reader = new Reader(sections, where)
  readShort(reader, variables, sections)
  readPrefixed(reader, variables, sections, below)
  return reader
}
