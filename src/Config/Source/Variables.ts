/** Turns environment variables into sources of values. */
import * as SchemaAST from "effect/SchemaAST"
import type { Problem } from "../ConfigError.ts"
import { nearest, normalize } from "../Nearest.ts"
import { redacted } from "../Report/Render.ts"
import { child, descend, expand, keysOf, type Nodes } from "../SchemaTree.ts"
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

const pick = (segment: string, candidates: Iterable<string>): string | undefined => {
  const all = [...candidates]
  return (
    all.find((key) => key === segment) ?? all.find((key) => normalize(key) === normalize(segment))
  )
}

const problem = (name: string, expected: string, message: string, close?: string): Problem => ({
  expected,
  key: "(variable)",
  message,
  nearest: close,
  received: redacted,
  source: `variable ${name}`
})

const resolve = (segments: KeyPath, sections: ReadonlyArray<Compiled>, below: Tree): KeyPath => {
  const first = segments[0] ?? ""
  const known = sections.find(
    ({ name }) =>
      name ===
      pick(
        first,
        sections.map(({ name }) => name)
      )
  )
  let nodes: Nodes = known?.encoded ?? []
  const path = [known?.name ?? pick(first, Object.keys(below)) ?? first.toLowerCase()]
  for (const segment of segments.slice(1)) {
    const existing = getPath(below, path)
    const key =
      pick(segment, keysOf(nodes)) ??
      pick(segment, isPlain(existing) ? Object.keys(existing) : []) ??
      segment.toLowerCase()
    nodes = child(nodes, key)
    path.push(key)
  }
  return path
}

const refuse = (name: string, segments: KeyPath): Problem | undefined => {
  const bad = segments.find((segment) => forbiddenKeys.has(segment.toLowerCase()))
  if (bad !== undefined) {
    return problem(
      name,
      "a key that is not on Object.prototype",
      `The variable ${name} is refused because the key ${bad.toLowerCase()} can change the ` +
        "prototype of objects: remove it."
    )
  }
  if (segments.length === 1 && normalize(segments[0] ?? "") === "env") {
    return problem(
      name,
      "FLANGE_ENV",
      `The variable ${name} does not choose the environment: write FLANGE_ENV.`
    )
  }
  if (segments.some((segment) => normalize(segment) === "")) {
    return problem(
      name,
      "FLANGE__SECTION__KEY",
      `The variable ${name} has an empty part between double underscores: write ` +
        "FLANGE__SECTION__KEY."
    )
  }
  return undefined
}

const isListItem = (path: KeyPath, sections: ReadonlyArray<Compiled>): boolean => {
  const known = sections.find(({ name }) => name === path[0])
  if (known === undefined || !/^\d+$/.test(path.at(-1) ?? "")) return false
  return expand(descend(known.encoded, path.slice(1, -1))).some(SchemaAST.isArrays)
}

const sourceOf = (
  name: string,
  path: KeyPath,
  value: string,
  sections: ReadonlyArray<Compiled>
): Source => {
  const known = sections.find((section) => section.name === path[0])
  const nodes = known === undefined ? [] : descend(known.nodes, path.slice(1))
  return { label: `variable ${name}`, values: singleton(path, coerce(nodes, value)) }
}

/**
 * Turns variables into sources that override `below`. `FLANGE__` variables override short ones, and
 * among them those with more segments override the others. An empty short variable counts as unset,
 * because container tools pass unset variables as empty ones.
 */
export const fromVariables = (
  variables: Values,
  sections: ReadonlyArray<Compiled>,
  below: Tree
): FromVariables => {
  const sources: Array<Source> = []
  const problems: Array<Problem> = []
  for (const section of sections) {
    for (const [name, target] of Object.entries(section.variables)) {
      const path = target.split(".")
      if (descend(section.encoded, path).length === 0) {
        const close = nearest(target, keysOf(section.encoded))
        problems.push(
          problem(
            name,
            `one of ${keysOf(section.encoded).join(", ")}`,
            `The section ${section.name} maps the variable ${name} to ${JSON.stringify(target)}, ` +
              "which its schema does not have: name one of its keys.",
            close
          )
        )
        continue
      }
      const value = Object.hasOwn(variables, name) ? variables[name] : undefined
      if (value === undefined || value === "") continue
      sources.push(sourceOf(name, [section.name, ...path], value, sections))
    }
  }
  const taken = new Map<string, { readonly name: string; readonly value: string }>()
  const prefixed = Object.entries(variables)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => ({ name, segments: name.slice(prefix.length).split("__"), value }))
    .sort((a, b) => a.segments.length - b.segments.length || (a.name < b.name ? -1 : 1))
  for (const { name, segments, value } of prefixed) {
    if (value === undefined) continue
    const refused = refuse(name, segments)
    if (refused !== undefined) {
      problems.push(refused)
      continue
    }
    const path = resolve(
      segments,
      sections,
      mergeAll([below, ...sources.map((source) => source.values)])
    )
    if (isListItem(path, sections)) {
      const list = name.slice(0, name.lastIndexOf("__"))
      problems.push(
        problem(
          name,
          "a whole list",
          `The variable ${name} sets one item of a list, which is not possible: set the whole list ` +
            `in ${list}, with commas between the items.`
        )
      )
      continue
    }
    const key = path.join(".")
    const other = taken.get(key)
    if (other !== undefined && other.value !== value) {
      problems.push(
        problem(
          name,
          "one variable for each key",
          `The variables ${other.name} and ${name} both set ${key} and differ: remove one.`
        )
      )
    }
    taken.set(key, { name, value })
    sources.push(sourceOf(name, path, value, sections))
  }
  return { sources, problems }
}
