/** Values such as `secret:database-password`, which name a secret that a provider has. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Problem, problemAt } from "../ConfigError.ts"
import type { ReadSecret } from "../LoadOptions.ts"
import { descend, isSecret } from "../SchemaTree.ts"
import type { Compiled } from "../Section.ts"
import { getPath, isPlain, type KeyPath, singleton, type Source, type Tree, tree } from "../Tree.ts"
import { coerce } from "./Coerce.ts"

/** A key of the configuration whose value names a secret. */
export interface Reference {
  /** The dotted key. */
  readonly key: string
  readonly name: string
  readonly path: KeyPath
  readonly section: Compiled
}

const prefix = "secret:"

/** Returns the keys of secrets whose values name one, in the values of all sources together. */
export const referencesOf = (
  sections: ReadonlyArray<Compiled>,
  merged: Tree
): ReadonlyArray<Reference> =>
  sections.flatMap((section) => {
    const visit = (value: unknown, path: KeyPath): ReadonlyArray<Reference> => {
      if (typeof value === "string") {
        if (!value.startsWith(prefix) || !isSecret(section.nodes, path, value)) return []
        const full = [section.name, ...path]
        return [{ key: full.join("."), name: value.slice(prefix.length), path: full, section }]
      }
      return isPlain(value) || Array.isArray(value)
        ? Object.entries(value).flatMap(([key, inner]) => visit(inner, [...path, key]))
        : []
    }
    return visit(merged[section.name], [])
  })

/** Returns a copy of a value with other texts at some dotted keys. */
const replace = (value: unknown, texts: ReadonlyMap<string, unknown>, path: KeyPath): unknown => {
  const text = texts.get(path.join("."))
  if (text !== undefined) return text
  if (Array.isArray(value)) {
    return value.map((item, index) => replace(item, texts, [...path, String(index)]))
  }
  if (!isPlain(value)) return value
  return tree(
    Object.entries(value).map(([key, inner]) => [key, replace(inner, texts, [...path, key])])
  )
}

/** The path of a value, or of the outermost list around it: sources replace lists whole. */
const leafOf = (merged: Tree, path: KeyPath): KeyPath => {
  const end = path.findIndex((_, index) => Array.isArray(getPath(merged, path.slice(0, index))))
  return end === -1 ? path : path.slice(0, end)
}

/** The values of the secrets, and what could not be read. */
export interface Resolution {
  readonly merged: Tree
  readonly problems: ReadonlyArray<Problem>
  /** A source for each secret that was read. */
  readonly sources: ReadonlyArray<Source>
  /** The references that stay as they are. */
  readonly unresolved: ReadonlyArray<Reference>
}

/** Reads the secrets, each once, and puts them in the place of their names. */
export const resolve = Effect.fnUntraced(function* (
  references: ReadonlyArray<Reference>,
  merged: Tree,
  read: ReadSecret,
  labelOf: (path: KeyPath) => string
): Effect.fn.Return<Resolution> {
  const names = [...new Set(references.map(({ name }) => name))]
  const found = new Map(
    yield* Effect.forEach(
      names,
      (name) => Effect.map(Effect.result(read(name)), (result) => [name, result] as const),
      { concurrency: 8 }
    )
  )
  const problems: Array<Problem> = []
  const texts = new Map<string, unknown>()
  const unresolved: Array<Reference> = []
  for (const reference of references) {
    const { key, name, path, section } = reference
    const result = found.get(name)!
    if (result._tag === "Success") {
      const text = Redacted.value(result.success)
      texts.set(key, coerce(descend(section.nodes, path.slice(1)), text))
      continue
    }
    unresolved.push(reference)
    const expected = `${prefix} and the name of a secret that exists`
    problems.push(
      problemAt(key, labelOf(path), expected, `${key} names a secret. ${result.failure.message}`)
    )
  }
  const after = replace(merged, texts, [])
  const resolved = isPlain(after) ? after : merged
  return {
    merged: resolved,
    problems,
    sources: references
      .filter(({ key }) => texts.has(key))
      .map(({ name, path }) => {
        const leaf = leafOf(merged, path)
        return {
          label: `secret ${name} named by ${labelOf(path)}`,
          values: singleton(leaf, getPath(resolved, leaf))
        }
      }),
    unresolved
  }
})
