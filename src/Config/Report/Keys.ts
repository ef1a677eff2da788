/** Lists the keys that a section declares, whether they are set or not. */
import * as SchemaAST from "effect/SchemaAST"
import { describe } from "../Expected.ts"
import { isPublic } from "../Public.ts"
import { child, defaultOf, expand, isSecret, keysOf, type Nodes } from "../SchemaTree.ts"
import type { Compiled } from "../Section.ts"
import { getPath, type KeyPath } from "../Tree.ts"

/** A key of a section. */
export interface Key {
  /**
   * The default of the schema as in a file. Undefined if there is none, for a secret, and in an object that
   * is optional: to set the key would be to set the object.
   */
  readonly default: unknown
  /** The annotation `description` of its schema. */
  readonly description: string | undefined
  /** A description of the values that it takes. */
  readonly expected: string
  /** Whether every client may read it. */
  readonly isPublic: boolean
  /** Whether it must be set. */
  readonly isRequired: boolean
  readonly isSecret: boolean
  /** The dotted key, such as `server.port`. */
  readonly key: string
  readonly path: KeyPath
  /** The names of the variables that set it; the last one is that with the prefix `FLANGE__`. */
  readonly variables: readonly [string, ...ReadonlyArray<string>]
}

const snake = (key: string): string =>
  key
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toUpperCase()

/** Returns the names of the variables that set a key of a section: the short ones first. */
export const variablesOf = (section: Compiled, path: KeyPath): Key["variables"] => {
  const short = Object.keys(section.variables).filter(
    (name) => section.variables[name] === path.join(".")
  )
  const prefixed = ["FLANGE", section.name, ...path].map(snake).join("__")
  const [first, ...rest] = [...short, prefixed]
  return [first ?? prefixed, ...rest]
}

/** Whether the schemas take nothing but an object with fixed keys. A variable can then set each. */
const isStruct = (nodes: Nodes): boolean => {
  const [only, ...others] = expand(nodes).filter(
    ({ _tag }) => _tag !== "Undefined" && _tag !== "Union"
  )
  return only?._tag === "Objects" && others.length === 0 && only.indexSignatures.length === 0
}

const descriptionOf = (nodes: Nodes): string | undefined =>
  expand(nodes)
    .map((ast) => SchemaAST.resolve(ast)?.description)
    .find((text) => typeof text === "string")

/** Returns the keys of a section, sorted. A key with an object whose keys are fixed is left out. */
export const keysOfSection = (section: Compiled): ReadonlyArray<Key> => {
  const below = (
    path: KeyPath,
    nodes: Nodes,
    encoded: Nodes,
    declared: Nodes,
    inherited: unknown,
    isOptional: boolean,
    isMarked: boolean,
    isAbsent = false
  ): ReadonlyArray<Key> =>
    keysOf(encoded).flatMap((name) => {
      const place = [...path, name]
      const inner = child(encoded, name)
      const value = getPath(inherited, [name]) ?? defaultOf(nodes, name)
      const isFree = isOptional || inner.some(SchemaAST.isOptional)
      const [typed, own] = [child(nodes, name), child(declared, name)]
      const marked = isMarked || isPublic(own)
      if (isStruct(inner)) {
        const isLeftOut = isAbsent || (value === undefined && inner.some(SchemaAST.isOptional))
        return below(place, typed, inner, own, value, isFree, marked, isLeftOut)
      }
      const secret = isSecret(section.nodes, place, "")
      return [
        {
          default: secret || isAbsent ? undefined : value,
          description: descriptionOf(own),
          expected: describe(own.length > 0 ? own : inner),
          isPublic: marked,
          isRequired: !isFree,
          isSecret: secret,
          key: [section.name, ...place].join("."),
          path: place,
          variables: variablesOf(section, place)
        }
      ]
    })
  return below([], section.nodes, section.encoded, section.declared, undefined, false, false)
}
