/** Reads secrets from the files that keys such as `passwordFile` name. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { type Problem, problemAt } from "../ConfigError.ts"
import { child, descend, isSecret, keysOf, type Nodes } from "../SchemaTree.ts"
import type { Compiled } from "../Section.ts"
import {
  getPath,
  isPlain,
  type KeyPath,
  mergeAll,
  singleton,
  type Source,
  type Tree,
  tree
} from "../Tree.ts"
import { coerce } from "./Coerce.ts"

const suffix = "File"

/** Returns the keys that name the file of a secret, among those that a schema declares otherwise. */
export const fileKeysOf = (nodes: Nodes): ReadonlyArray<string> => {
  const declared = keysOf(nodes)
  return declared
    .filter((key) => isSecret(nodes, [key], ""))
    .map((key) => `${key}${suffix}`)
    .filter((key) => !declared.includes(key))
}

/** Returns the key whose value is in the file that another key names. */
export const withoutSuffix = (key: string): string => key.slice(0, -suffix.length)

const named = (nodes: Nodes, value: unknown, path: KeyPath): ReadonlyArray<KeyPath> => {
  if (!isPlain(value)) return []
  const fileKeys = fileKeysOf(nodes)
  return Object.keys(value).flatMap((key) =>
    fileKeys.includes(key) ? [[...path, key]] : named(child(nodes, key), value[key], [...path, key])
  )
}

const without = (value: unknown, [key = "", ...rest]: KeyPath): Tree =>
  tree(
    Object.entries(isPlain(value) ? value : {}).flatMap(([other, inner]) => {
      if (other !== key) return [[other, inner] as const]
      return rest.length === 0 ? [] : [[other, without(inner, rest)] as const]
    })
  )

/** Returns the text of a file without the line break at its end, or why it cannot be used. */
const read = Effect.fnUntraced(function* (
  directory: string,
  file: unknown
): Effect.fn.Return<
  { readonly text: string } | { readonly why: string },
  never,
  FileSystem.FileSystem | Path.Path
> {
  if (typeof file !== "string" || file === "") return { why: "is not named by a text" }
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const content = yield* fileSystem
    .readFileString(path.resolve(directory, file))
    .pipe(Effect.match({ onFailure: (error) => error, onSuccess: (text) => text }))
  if (typeof content !== "string") return { why: `cannot be read (${content.reason._tag})` }
  const text = content.replace(/^\uFEFF/, "").replace(/\r?\n$/, "")
  if (text === "") return { why: "is empty" }
  return text.includes("\uFFFD") ? { why: "is not UTF-8 text" } : { text }
})

/**
 * Replaces the keys of a source that name files by the secrets in these files, as a source of their
 * own. No problem has the name of the file: it may be the secret, written into the wrong variable.
 */
export const resolveFiles = Effect.fnUntraced(function* (
  source: Source,
  sections: ReadonlyArray<Compiled>,
  directory: string
): Effect.fn.Return<
  { readonly problems: ReadonlyArray<Problem>; readonly sources: ReadonlyArray<Source> },
  never,
  FileSystem.FileSystem | Path.Path
> {
  const problems: Array<Problem> = []
  const secrets: Array<Tree> = []
  let { values } = source
  for (const { name, nodes } of sections) {
    for (const path of named(nodes, source.values[name], [name])) {
      values = without(values, path)
      const target = [...path.slice(0, -1), withoutSuffix(path.at(-1) ?? "")]
      const key = target.join(".")
      const expected = `the path of a file with the value of ${key}`
      if (getPath(source.values, target) !== undefined) {
        problems.push(
          problemAt(
            path.join("."),
            source.label,
            expected,
            `Both ${key} and ${path.join(".")} are set in ${source.label}: remove one.`
          )
        )
        continue
      }
      const content = yield* read(directory, getPath(source.values, path))
      if ("text" in content) {
        secrets.push(singleton(target, coerce(descend(nodes, target.slice(1)), content.text)))
      } else {
        problems.push(
          problemAt(
            path.join("."),
            source.label,
            expected,
            `The file that ${source.label} names for ${key} ${content.why}: write ${expected}.`
          )
        )
      }
    }
  }
  if (secrets.length === 0) return { problems, sources: [{ ...source, values }] }
  const fromFiles = { label: `file named by ${source.label}`, values: mergeAll(secrets) }
  const rest = Object.keys(values).length === 0 ? [] : [{ ...source, values }]
  return { problems, sources: [...rest, fromFiles] }
})
